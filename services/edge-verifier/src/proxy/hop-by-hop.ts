/** Headers that end at each hop (RFC 9110, 7.6.1), and those that the next hop's framing sets anew. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const NONE: ReadonlySet<string> = new Set();

/** The header names that a message's Connection headers name, lower-case. */
export function connectionOptions(rawHeaders: readonly string[]): ReadonlySet<string> {
  let options: Set<string> | undefined;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() !== 'connection') continue;
    options ??= new Set();
    for (const option of (rawHeaders[at + 1] ?? '').split(',')) options.add(option.trim().toLowerCase());
  }
  return options ?? NONE;
}

/** The headers that travel on to the next hop, as name, value, name, value. `travels` is asked in lower case. */
export function endToEndHeaders(
  rawHeaders: readonly string[],
  travels: (name: string) => boolean = () => true,
): string[] {
  const named = connectionOptions(rawHeaders);
  const kept: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const rawName = rawHeaders[at] ?? '';
    const name = rawName.toLowerCase();
    if (!HOP_BY_HOP.has(name) && !named.has(name) && travels(name)) kept.push(rawName, rawHeaders[at + 1] ?? '');
  }
  return kept;
}

export function* headerPairs(rawHeaders: readonly string[]): Generator<readonly [name: string, value: string]> {
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) yield [rawHeaders[at] ?? '', rawHeaders[at + 1] ?? ''];
}
