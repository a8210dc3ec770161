const ZERO = 0x30;

/** The number that two decimal digits of a text stand for. */
export function twoDigits(text: string, at: number): number {
  return (text.charCodeAt(at) - ZERO) * 10 + text.charCodeAt(at + 1) - ZERO;
}
