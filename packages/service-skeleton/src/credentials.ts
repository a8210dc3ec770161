import { CredentialsError, CredentialsStore, parseSpiffeId } from '@sigv4-keyd/fastify-mtls';
import {
  every,
  hasRole,
  identityOf,
  type Cancel,
  type Clock,
  type Identity,
  type Role,
} from '@sigv4-keyd/hop-protocol';
import { certificateCondition, type CertificateAge, type CertificateCondition } from './certificate-age.js';
import type { Logger } from './logging.js';
import { StartError } from './start-error.js';

/** How often the certificate files are looked at, milliseconds. */
export const RELOAD_EVERY_MS = 10_000;

export interface OwnCredentials<R extends Role> {
  readonly store: CredentialsStore;
  /** Who we are, read from our own certificate: region and service are never configured. */
  readonly identity: Extract<Identity, { role: R }>;
  /** What somebody should see to about the certificate, in words. */
  readonly warnings: () => readonly string[];
  /** Stops looking for new files. */
  readonly stop: Cancel;
}

/**
 * Reads the service's own certificate, key and authorities, refuses a certificate of another role or trust domain, and
 * looks for renewed files, and at how old the one in use is, on every beat.
 * @throws StartError
 */
export async function openOwnCredentials<R extends Role>(
  settings: { readonly tlsCert: string; readonly tlsKey: string; readonly tlsCa: string; readonly trustDomain: string },
  role: R,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<OwnCredentials<R>> {
  const store = await openStore(settings, log);
  const id = parseSpiffeId(store.current.spiffeId);
  const identity = id && identityOf(id);
  if (!identity || !hasRole(identity, role) || identity.trustDomain !== settings.trustDomain) {
    throw new StartError(
      `${settings.tlsCert} is for ${store.current.spiffeId}; this service needs one for the role ` +
        `${role} in the trust domain ${settings.trustDomain} (keydctl pki issue makes one)`,
      78,
    );
  }
  const tellAge = ageTeller(log);
  const condition = (): CertificateCondition => certificateCondition(store.current, clock.now());
  tellAge(condition());
  const stop = every(clock, RELOAD_EVERY_MS, async () => {
    await store.reload();
    tellAge(condition());
  });
  return { store, identity, warnings: () => condition().warnings, stop };
}

/** Says once when the certificate grows old, and once more when it is too old. */
function ageTeller(log: Logger): (condition: CertificateCondition) => void {
  let told: CertificateAge = 'good';
  return ({ age, warnings }) => {
    if (age !== told) for (const warning of warnings) log.warn({ event: `certificate-${age}` }, warning);
    told = age;
  };
}

async function openStore(
  settings: { readonly tlsCert: string; readonly tlsKey: string; readonly tlsCa: string },
  log: Logger,
): Promise<CredentialsStore> {
  try {
    return await CredentialsStore.open(
      { cert: settings.tlsCert, key: settings.tlsKey, ca: settings.tlsCa },
      {
        onReload: ({ spiffeId, notAfter }) => log.info({ spiffeId, notAfter }, 'certificate reloaded'),
        onError: (error) => log.warn({ err: error }, 'certificate files cannot be used; the old ones stay in use'),
      },
    );
  } catch (error) {
    if (error instanceof CredentialsError) throw new StartError(error.message, 78, error);
    throw error;
  }
}
