import { CredentialsError, CredentialsStore, parseSpiffeId, type Credentials } from '@sigv4-keyd/fastify-mtls';
import {
  every,
  hasRole,
  identityOf,
  type Cancel,
  type Clock,
  type Identity,
  type Role,
} from '@sigv4-keyd/hop-protocol';
import type { Logger } from './logging.js';
import { StartError } from './run-service.js';

/** Renewal is due with a third of the life left; with less than this share, it was missed. */
const OVERDUE_SHARE = 0.2;

/** How often the certificate files are looked at, milliseconds. */
export const RELOAD_EVERY_MS = 10_000;

export interface OwnCredentials<R extends Role> {
  readonly store: CredentialsStore;
  /** Who we are, read from our own certificate: region and service are never configured. */
  readonly identity: Extract<Identity, { role: R }>;
  /** Stops looking for new files. */
  readonly stop: Cancel;
}

/**
 * Reads the service's own certificate, key and authorities, refuses a certificate of another role or trust domain, and
 * looks for renewed files on every beat.
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
  tellAge(store.current, { clock, log });
  const stop = every(clock, RELOAD_EVERY_MS, () => store.reload());
  return { store, identity, stop };
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

function tellAge(
  { notBefore, notAfter }: Credentials,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): void {
  const left = notAfter.getTime() - clock.now();
  const life = notAfter.getTime() - notBefore.getTime();
  if (left < 0) log.warn({ notAfter }, 'the certificate has expired: peers will refuse it until it is renewed');
  else if (left < life * OVERDUE_SHARE) {
    const share = `${Math.round(left / 60_000)} of its ${Math.round(life / 60_000)} minutes are left`;
    log.warn({ notAfter }, `the certificate was to be renewed by now: ${share}`);
  }
}
