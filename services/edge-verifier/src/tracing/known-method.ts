import { METHODS } from 'node:http';

const KNOWN: ReadonlySet<string> = new Set(METHODS);

/** A method of HTTP, which spans may be named by; whatever else somebody sends has no name. */
export function knownMethod(method: string): { readonly name: string; readonly value: string } {
  return KNOWN.has(method) ? { name: method, value: method } : { name: 'HTTP', value: '_OTHER' };
}
