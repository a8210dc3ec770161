import type { HeaderTable } from './header-table.js';

// Proxies and clients' own machinery change or add these on the way; a signature over them would break.
const NEVER_SIGNED: ReadonlySet<string> = new Set([
  'authorization',
  'cache-control',
  'connection',
  'expect',
  'from',
  'keep-alive',
  'max-forwards',
  'pragma',
  'referer',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'x-amzn-trace-id',
]);

/** The names of the headers that signers sign, sorted: all but the ones that do not survive the way. */
export function signableHeaders(headers: HeaderTable): readonly string[] {
  return [...headers.keys()].filter((name) => !isUnsignable(name)).sort();
}

function isUnsignable(name: string): boolean {
  return NEVER_SIGNED.has(name) || name.startsWith('proxy-') || name.startsWith('sec-');
}
