/** One thing that is wrong with a request, in words, and what to do about it. Nothing secret, nothing computed. */
export interface Finding {
  readonly id: string;
  readonly what: string;
  readonly next: string;
}

/** Text of a request, fit for a terminal and for one line. */
export function quoted(text: string): string {
  return `"${text.slice(0, 200).replace(/[^\x20-\x7e]/g, '\ufffd')}"`;
}
