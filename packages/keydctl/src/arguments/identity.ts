import { isTrustDomain, parseSpiffeId } from '@sigv4-keyd/fastify-mtls';
import { identityOf, spiffeIdOf, type Identity } from '@sigv4-keyd/hop-protocol';
import { z } from 'zod';
import { usageError } from '../command-line/command-error.js';

const FORMS =
  'operator NAME, master NAME, signer NAME, deputy NAME, region REGION NAME, edge REGION SERVICE [aws4_request] NAME';

export const trustDomain = z
  .string()
  .refine(isTrustDomain, 'must be a SPIFFE trust domain: lower case, such as keyd.local');

/**
 * An identity as words on the command line: a SPIFFE id of a known role, or the parts of its path
 * (`edge us-east-1 s3 edge-1`) in the given trust domain. Nothing is made for an identity that no tier would serve.
 */
export function identityFrom(words: readonly string[], ownTrustDomain: string | undefined): Identity {
  const [first = ''] = words;
  if (first.startsWith('spiffe://') && words.length === 1) return checked(first, ownTrustDomain);
  if (ownTrustDomain === undefined) {
    throw usageError(
      'the trust domain is missing',
      'Give --trust-domain, or the identity as spiffe://TRUST-DOMAIN/ROLE/...',
    );
  }
  return checked(`spiffe://${ownTrustDomain}/${words.join('/')}`, ownTrustDomain);
}

function checked(spiffeId: string, ownTrustDomain: string | undefined): Identity {
  const id = parseSpiffeId(spiffeId);
  const identity = id && identityOf(id);
  if (!identity) throw usageError(`${JSON.stringify(spiffeId)} is no identity of sigv4-keyd`, `Give one of: ${FORMS}`);
  if (ownTrustDomain === undefined || identity.trustDomain === ownTrustDomain) return identity;
  throw usageError(
    `${spiffeId} is not of the trust domain ${ownTrustDomain}`,
    'Use the certificate authority of its trust domain (--ca)',
  );
}

/** The folder of an identity's certificate when none is named: its parts, joined. */
export function folderOfIdentity(identity: Identity): string {
  const path = spiffeIdOf(identity).slice(`spiffe://${identity.trustDomain}/`.length);
  return path.replaceAll('/', '-');
}
