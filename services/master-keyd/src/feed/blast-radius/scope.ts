import type { RevocationStatement } from '@sigv4-keyd/revocation';

/** The scope that a statement hits, or would hit. */
export type RevokedScope = Pick<
  RevocationStatement,
  'accessKeyId' | 'region' | 'service' | 'from' | 'to' | 'issuedBefore'
>;
