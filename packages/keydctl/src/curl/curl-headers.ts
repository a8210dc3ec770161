import { fail } from './curl-failure.js';

/** The headers of -H, repeated ones kept. `Name;` sends an empty one, as with curl. */
export function curlHeaders(
  lines: readonly string[],
  contentType: string | undefined,
): Record<string, readonly string[]> {
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const [, name, value] = /^([^:;\s]+)(?::(.*)|;)$/s.exec(line) ?? [];
    if (name === undefined) throw fail('usage', 'a header does not read "Name: value"');
    headers.set(name.toLowerCase(), [...(headers.get(name.toLowerCase()) ?? []), (value ?? '').trim()]);
  }
  if (contentType !== undefined && !headers.has('content-type')) headers.set('content-type', [contentType]);
  return Object.fromEntries(headers);
}
