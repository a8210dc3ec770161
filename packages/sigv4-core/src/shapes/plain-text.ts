// Visible ASCII, single spaces between: its own canonical form.
const PLAIN_VALUE = /^(?:[!-~]+(?: [!-~]+)*)?$/;
const PLAIN_PATH = /^\/[A-Za-z0-9\-._~/]*$/;

/** Whether a header's value is its own canonical form, in ASCII. */
export function isPlainValue(value: string): boolean {
  return PLAIN_VALUE.test(value);
}

/** Whether a path is well formed and has nothing to encode. */
export function isPlainPath(path: string): boolean {
  return PLAIN_PATH.test(path);
}

/** A text of its own: a part of a longer string would keep all of that in memory. */
export function ownText(ascii: string): string {
  return Buffer.from(ascii, 'latin1').toString('latin1');
}
