/** The name of a peer: `spiffe://TRUST-DOMAIN/SEGMENT/SEGMENT...`, always with at least one path segment. */
export interface SpiffeId {
  readonly uri: string;
  readonly trustDomain: string;
  readonly segments: readonly string[];
}

const LONGEST_URI_BYTES = 2048;
const LONGEST_TRUST_DOMAIN_BYTES = 255;

// SPIFFE-ID, section 2: the only characters of a trust domain and of a path segment. All of them are ASCII, so that
// characters and bytes are the same; '%', '@', ':', '?', '#' and upper-case trust domains fall outside by themselves.
const TRUST_DOMAIN = /^[a-z0-9._-]+$/;
const SEGMENT = /^[A-Za-z0-9._-]+$/;
const SCHEME = 'spiffe://';

export function isTrustDomain(text: string): boolean {
  return text.length <= LONGEST_TRUST_DOMAIN_BYTES && TRUST_DOMAIN.test(text);
}

/** Returns undefined for whatever is not exactly a SPIFFE id of a workload; nothing is normalised. */
export function parseSpiffeId(text: string): SpiffeId | undefined {
  if (text.length > LONGEST_URI_BYTES || !text.startsWith(SCHEME)) return undefined;
  const [trustDomain = '', ...segments] = text.slice(SCHEME.length).split('/');
  if (!isTrustDomain(trustDomain) || segments.length === 0 || !segments.every(isSegment)) return undefined;
  return { uri: text, trustDomain, segments };
}

function isSegment(text: string): boolean {
  return SEGMENT.test(text) && text !== '.' && text !== '..';
}
