export const KEY_BYTES = 40;
export const DATE = '20261122';
export const REGION = 'us-east-1';

/** One byte of a key that is nowhere as a whole until it is made. */
export function byteOfKey(at: number): number {
  return (at * 73 + 41) % 251;
}
