/** The exit codes of keydctl, as `--help` prints them. 69 and 77 are those of sysexits.h. */
export const EXIT_CODES = {
  ok: [0, 'done'],
  failed: [1, 'refused or failed; the message says what to do'],
  usage: [2, 'the command line is wrong'],
  unreachable: [69, 'master-keyd cannot be reached or cannot answer right now'],
  'not-permitted': [77, 'the certificate does not permit this'],
} as const satisfies Record<string, readonly [code: number, meaning: string]>;

export type Ending = keyof typeof EXIT_CODES;

export function exitCodeOf(ending: Ending): number {
  return EXIT_CODES[ending][0];
}
