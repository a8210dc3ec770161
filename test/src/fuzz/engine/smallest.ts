const MOST_TRIALS = 2_000;

/** Takes pieces out of an input, ever smaller ones, as long as it stays what it is. */
export async function smallest(
  input: Buffer,
  isStillIt: (input: Buffer) => Promise<boolean>,
  mostTrials = MOST_TRIALS,
): Promise<Buffer> {
  let found = input;
  let trials = 0;
  for (let length = Math.ceil(input.length / 2); length >= 1; length = length === 1 ? 0 : Math.ceil(length / 2)) {
    for (let at = 0; at < found.length && trials < mostTrials; trials += 1) {
      const candidate = Buffer.concat([found.subarray(0, at), found.subarray(at + length)]);
      if (await isStillIt(candidate)) found = candidate;
      else at += length;
    }
  }
  return found;
}
