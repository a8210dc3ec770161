const BLANKS = /[ \t]+/g;
const BLANK_TO_COLLAPSE = /\t| {2}/;

/** Trims the value and makes each run of blanks one space. */
export function canonicalHeaderValue(value: string): string {
  // Collapsing first leaves at most one blank at either end; a pattern for trimming is quadratic on runs of blanks.
  const collapsed = BLANK_TO_COLLAPSE.test(value) ? value.replace(BLANKS, ' ') : value;
  const start = collapsed.startsWith(' ') ? 1 : 0;
  const end = collapsed.endsWith(' ') ? collapsed.length - 1 : collapsed.length;
  return start === 0 && end === collapsed.length ? collapsed : collapsed.slice(start, Math.max(start, end));
}

/** The canonical headers: `name:value` and a line feed for each signed header, in the order of the list. */
export function canonicalHeaders(headers: ReadonlyMap<string, string>, signedHeaders: readonly string[]): string {
  let lines = '';
  for (const name of signedHeaders) lines += `${name}:${headers.get(name) ?? ''}\n`;
  return lines;
}
