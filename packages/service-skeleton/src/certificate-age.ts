import type { Credentials } from '@sigv4-keyd/fastify-mtls';

/** Renewal is due with a third of the life left; with less than this share, it was missed. */
const OVERDUE_SHARE = 0.2;

export type CertificateAge = 'good' | 'overdue' | 'expired';

/** How old a certificate is, and what somebody should see to, in words; none while it is good. */
export interface CertificateCondition {
  readonly age: CertificateAge;
  readonly warnings: readonly string[];
}

/** `now`: epoch milliseconds. */
export function certificateCondition(
  { notBefore, notAfter }: Pick<Credentials, 'notBefore' | 'notAfter'>,
  now: number,
): CertificateCondition {
  const left = notAfter.getTime() - now;
  const life = notAfter.getTime() - notBefore.getTime();
  const end = notAfter.toISOString();
  if (left <= 0) {
    const warning = `the certificate expired at ${end}: peers refuse new connections until it is renewed`;
    return { age: 'expired', warnings: [warning] };
  }
  if (left >= life * OVERDUE_SHARE) return { age: 'good', warnings: [] };
  const warning = `the certificate ends at ${end}: it was to be renewed with a third of its life left`;
  return { age: 'overdue', warnings: [warning] };
}
