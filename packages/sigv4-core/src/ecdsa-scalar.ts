/** n - 2, where n is the order of P-256's base point. */
const MOST = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254f';

/**
 * The private scalar of 32 bytes that the KDF gave: the candidate plus one, which is 1 to n - 1, or undefined when the
 * candidate is above n - 2 (FIPS 186-5, A.2.1). The time that this takes tells of the candidate where it first differs
 * from n - 2: JavaScript promises no constant time, and these bytes are derived by signers and at the top tier only.
 */
export function scalarFromCandidate(candidate: Uint8Array): Buffer | undefined {
  if (Buffer.compare(candidate, Buffer.from(MOST, 'hex')) > 0) return undefined;
  const scalar = Buffer.from(candidate);
  for (let at = scalar.length - 1; at >= 0; at -= 1) {
    const sum = scalar.readUInt8(at) + 1;
    scalar.writeUInt8(sum & 0xff, at);
    if (sum <= 0xff) break;
  }
  return scalar;
}
