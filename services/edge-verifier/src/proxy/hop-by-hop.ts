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

/** The header names that a message's Connection headers name, lower-case. */
export function connectionOptions(rawHeaders: readonly string[]): ReadonlySet<string> {
  const options = new Set<string>();
  for (const [name, value] of headerPairs(rawHeaders)) {
    if (name.toLowerCase() !== 'connection') continue;
    for (const option of value.split(',')) options.add(option.trim().toLowerCase());
  }
  return options;
}

/** The headers that travel on to the next hop, as name, value, name, value. */
export function endToEndHeaders(
  rawHeaders: readonly string[],
  travels: (name: string) => boolean = () => true,
): string[] {
  const named = connectionOptions(rawHeaders);
  const kept: string[] = [];
  for (const [rawName, value] of headerPairs(rawHeaders)) {
    const name = rawName.toLowerCase();
    if (!HOP_BY_HOP.has(name) && !named.has(name) && travels(name)) kept.push(rawName, value);
  }
  return kept;
}

export function* headerPairs(rawHeaders: readonly string[]): Generator<readonly [name: string, value: string]> {
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) yield [rawHeaders[at] ?? '', rawHeaders[at + 1] ?? ''];
}
