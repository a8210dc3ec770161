import { z } from 'zod';
import { verifyBeacon, type SignedBeacon } from './beacon.js';
import { FeedError } from './feed-problem.js';
import { holdingsOf, type FactForms, type Holdings } from './holdings.js';
import type { PinnedKeys } from './pinned-keys.js';
import { schemaDetail } from './schema-detail.js';
import { isSameSet } from './set-hash.js';
import { verifyFacts } from './verify-set.js';

const FORMAT = 'sigv4-keyd feed state v1';

const stateFile = z.strictObject({
  format: z.literal(FORMAT),
  beacon: z.string().exactOptional(),
  named: z.array(z.string()),
  further: z.array(z.string()),
});

export interface RestoredHoldings {
  readonly holdings: Holdings;
  readonly beacon: 'held' | 'none' | 'retired-key';
}

export function writeStateFile({ beacon, named, further }: Holdings): string {
  const content: z.infer<typeof stateFile> = {
    format: FORMAT,
    ...(beacon !== undefined && { beacon: beacon.jws }),
    named: [...named.keys()],
    further: [...further.keys()],
  };
  return JSON.stringify(content);
}

/**
 * Every signature is checked again, and that the named set is complete. An expired beacon is restored: its statements
 * deny, and freshness tells its age. One bad statement or page refuses the file: skipping it would un-revoke.
 *
 * Who can write the file can also put an older one in its place, or cut what no beacon named yet; the age of its beacon
 * then limits for how long that goes unnoticed, as it does for a source that withholds news.
 */
export async function restoreHoldings(text: string, keys: PinnedKeys): Promise<RestoredHoldings> {
  const file = parsedStateFile(text);
  const named = await verifiedForms(file.named, keys, 'named');
  const further = await verifiedForms(file.further, keys, 'further');
  if (file.beacon === undefined) {
    if (named.size > 0) throw new FeedError('malformed-state', 'statements are said to be named, but by no beacon');
    return { holdings: holdingsOf(undefined, named, further), beacon: 'none' };
  }
  const beacon = await beaconUnlessRetired(file.beacon, keys);
  if (beacon === undefined) {
    return { holdings: holdingsOf(undefined, new Map(), new Map([...further, ...named])), beacon: 'retired-key' };
  }
  const holdings = holdingsOf(beacon, named, further);
  if (!isSameSet(holdings.namedAs, beacon.beacon)) throw new FeedError('incomplete-set', 'in the state file');
  return { holdings, beacon: 'held' };
}

/** The signed statements and pages in a state file, as they are: nothing is verified. @throws FeedError */
export function formsInStateFile(text: string): readonly string[] {
  const { named, further } = parsedStateFile(text);
  return [...named, ...further];
}

function parsedStateFile(text: string): z.infer<typeof stateFile> {
  const file = stateFile.safeParse(parsedJson(text));
  if (!file.success) throw new FeedError('malformed-state', schemaDetail(file.error));
  return file.data;
}

async function verifiedForms(forms: readonly string[], keys: PinnedKeys, list: string): Promise<FactForms> {
  const { verified, refused } = await verifyFacts(forms, keys);
  const [first] = refused;
  if (first !== undefined) throw new FeedError(first.code, `in the state file, ${list} statement ${first.index}`);
  return verified;
}

async function beaconUnlessRetired(jws: string, keys: PinnedKeys): Promise<SignedBeacon | undefined> {
  try {
    return await verifyBeacon(jws, keys);
  } catch (error) {
    if (error instanceof FeedError && error.code === 'unknown-key') return undefined;
    throw error;
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FeedError('malformed-state', 'not JSON');
  }
}
