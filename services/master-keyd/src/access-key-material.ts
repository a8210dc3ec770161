/** Random bytes of the given length, from node:crypto outside of tests. */
export type RandomBytes = (length: number) => Buffer;

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** `AKIA`, or `ASIA` for sessions, and 16 letters and digits: 80 random bits. */
export function makeAccessKeyId(random: RandomBytes, prefix: 'AKIA' | 'ASIA' = 'AKIA'): string {
  // 256 is a multiple of 32, so that each letter is equally likely.
  return `${prefix}${[...random(16)].map((byte) => BASE32.charAt(byte % 32)).join('')}`;
}

/** 40 characters of A-Z, a-z, 0-9, / and +: 240 random bits. */
export function makeSecretAccessKey(random: RandomBytes): string {
  const bytes = random(30);
  try {
    return bytes.toString('base64');
  } finally {
    bytes.fill(0);
  }
}
