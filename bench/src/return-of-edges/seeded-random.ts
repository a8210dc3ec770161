/** Numbers from 0 up to 1, the same for the same seed: a generator of Lehmer's, good enough for jitter. */
export function seededRandom(seed: number): () => number {
  const modulus = 2 ** 31 - 1;
  let state = (seed % (modulus - 1)) + 1;
  return () => {
    state = (state * 48_271) % modulus;
    return (state - 1) / (modulus - 1);
  };
}
