import { refuse } from './refusal.js';
import type { Refused } from './refusal.js';

/** The regions that an ECDSA signature is for, as signed: names, beginnings of names such as `us-*`, or `*`. */
export type RegionSet = readonly string[];

/** More than there are regions anywhere; bounds the work that a made-up set makes. */
const MOST_ENTRIES = 100;
// A star stands at the end only: what no signer writes is refused, before two readings of it can differ.
const ENTRY = /^(?:\*|[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?|[a-z0-9][a-z0-9-]{0,62}\*)$/;

/** Reads `us-east-1,eu-*`; a blank beside a comma counts for nothing. */
export function parseRegionSet(text: string): RegionSet | Refused {
  const entries = text.split(/ ?, ?/, MOST_ENTRIES + 1);
  if (entries.length > MOST_ENTRIES) return refuse('malformed-region-set', `more than ${MOST_ENTRIES} entries`);
  return entries.every((entry) => ENTRY.test(entry)) ? entries : refuse('malformed-region-set');
}

/** Whether the set names the region. */
export function coversRegion(set: RegionSet, region: string): boolean {
  return set.some((entry) => (entry.endsWith('*') ? region.startsWith(entry.slice(0, -1)) : entry === region));
}
