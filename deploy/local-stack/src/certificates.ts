import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CredentialsError, readCredentials, type TlsFiles } from '@sigv4-keyd/fastify-mtls';
import { spiffeIdOf, type Identity } from '@sigv4-keyd/hop-protocol';
import { createAuthority, openAuthority, renew, type Authority } from '@sigv4-keyd/pki';
import { X509Certificate } from 'node:crypto';
import { REGIONS, SERVICES } from './ports.js';
import type { StateFolder } from './state-folder.js';

export const TRUST_DOMAIN = 'keyd.local';

const MASTER: Identity = { role: 'master', trustDomain: TRUST_DOMAIN, name: 'master-1' };
export const OPERATOR: Identity = { role: 'operator', trustDomain: TRUST_DOMAIN, name: 'local' };

const IDENTITIES: readonly Identity[] = [
  MASTER,
  OPERATOR,
  ...REGIONS.map((region): Identity => ({ role: 'region', trustDomain: TRUST_DOMAIN, region, name: 'region-1' })),
  ...REGIONS.flatMap((region) =>
    SERVICES.map((service): Identity => ({ role: 'edge', trustDomain: TRUST_DOMAIN, region, service, name: 'edge-1' })),
  ),
];

/** The name of a tier's process, its log and its folder of certificates. */
export function nameOf(identity: Identity): string {
  switch (identity.role) {
    case 'master':
    case 'deputy':
    case 'operator':
    case 'signer':
      return identity.role;
    case 'region':
      return `region-${identity.region}`;
    case 'edge':
      return `edge-${identity.region}-${identity.service}`;
  }
}

export function tlsFilesOf(state: StateFolder, name: string): TlsFiles {
  const folder = join(state.pki, name);
  return { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), ca: join(folder, 'ca.crt') };
}

/** Makes the authority and every certificate that is not there yet; renews those that near their end. */
export async function ensureCertificates(state: StateFolder, now: number): Promise<void> {
  const authority = await ensureAuthority(state.authority, now);
  for (const identity of IDENTITIES) {
    await ensureCertificate(authority, identity, join(state.pki, nameOf(identity)), now);
  }
}

async function ensureAuthority(folder: string, now: number): Promise<Authority> {
  const isThere = await access(folder).then(
    () => true,
    () => false,
  );
  return isThere ? openAuthority({ folder }) : createAuthority({ folder, trustDomain: TRUST_DOMAIN, now });
}

async function ensureCertificate(authority: Authority, identity: Identity, folder: string, now: number): Promise<void> {
  switch (await conditionOf(authority, folder, now)) {
    case 'good':
      return;
    case 'ending':
      await renew({ authority, folder, now });
      return;
    case 'unusable': {
      await rm(folder, { recursive: true, force: true });
      const hosts = { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] };
      await authority.issue({ spiffeId: spiffeIdOf(identity), ...hosts, folder, now });
    }
  }
}

async function conditionOf(authority: Authority, folder: string, now: number): Promise<'good' | 'ending' | 'unusable'> {
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), ca: join(folder, 'ca.crt') };
  try {
    const { cert, notBefore, notAfter } = await readCredentials(files);
    if (!new X509Certificate(cert).verify(authority.certificate.publicKey)) return 'unusable';
    const life = notAfter.getTime() - notBefore.getTime();
    return notAfter.getTime() - now < life / 3 ? 'ending' : 'good';
  } catch (error) {
    // Absent, or left half-written by an interrupted start.
    if (error instanceof CredentialsError) return 'unusable';
    throw error;
  }
}
