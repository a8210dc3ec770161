/** The algorithms of the specification: shared secret keys, or a key pair of which verifiers hold the public half. */
export const ALGORITHMS = ['AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256'] as const;

/** How a signature is made, as the request names it. */
export type Algorithm = (typeof ALGORITHMS)[number];

/** The algorithm of this name; undefined for any other spelling. */
export function parseAlgorithm(text: string | undefined): Algorithm | undefined {
  return ALGORITHMS.find((algorithm) => algorithm === text);
}
