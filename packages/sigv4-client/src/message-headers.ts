import type { PreparedPayload } from './prepared-payload.js';

export type HeaderPair = readonly [name: string, value: string];

/** The length that the headers of a request state for its body, bytes; undefined when they state none. */
export function statedLength(headers: readonly HeaderPair[]): number | undefined {
  const stated = headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1];
  return stated !== undefined && /^[0-9]+$/.test(stated) ? Number(stated) : undefined;
}

/** The given headers, with the type that the body has by its nature unless they name one; without a length. */
export function describedHeaders(
  given: readonly HeaderPair[],
  { contentType }: Pick<PreparedPayload, 'contentType'>,
): readonly HeaderPair[] {
  const kept = given.filter(([name]) => name.toLowerCase() !== 'content-length');
  const isNamed = kept.some(([name]) => name.toLowerCase() === 'content-type');
  return contentType === undefined || isNamed ? kept : [...kept, ['content-type', contentType]];
}
