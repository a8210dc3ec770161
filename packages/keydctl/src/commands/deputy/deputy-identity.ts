import type { TlsFiles } from '@sigv4-keyd/fastify-mtls';
import { spiffeIdOf } from '@sigv4-keyd/hop-protocol';
import { identityFrom } from '../../arguments/identity.js';
import { usageError } from '../../command-line/command-error.js';
import { ownTrustDomain } from '../identity/own-trust-domain.js';

/** The SPIFFE id of a deputy that is given by its name, or by its SPIFFE id. */
export async function deputyIdentity(name: string, files: TlsFiles): Promise<string> {
  const words = name.startsWith('spiffe://') ? [name] : ['deputy', name];
  const identity = identityFrom(words, await ownTrustDomain(files));
  if (identity.role === 'deputy') return spiffeIdOf(identity);
  throw usageError(`${spiffeIdOf(identity)} is no deputy`, 'Give its name, or spiffe://TRUST-DOMAIN/deputy/NAME');
}
