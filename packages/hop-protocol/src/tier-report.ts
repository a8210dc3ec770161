import { MOST_BEACON_BYTES } from '@sigv4-keyd/revocation';
import { z } from 'zod';
import { keyGauges } from './key-gauges.js';
import { instant, scopeDate } from './schemas.js';

/** What a tier tells the tier above about itself, and a region about the edges below it. Holds no key and no secret. */
const heldDay = z.object({ date: scopeDate, keys: z.number().int().nonnegative(), fetchedAt: instant });

/** A parent as the tier below finds it. */
export const parentReport = z.object({
  url: z.string().max(2048),
  isHealthy: z.boolean(),
  /** Whether the next question goes to it first. */
  isChosen: z.boolean(),
  /** Since when it is, or is not, healthy. */
  since: instant,
  answeredAt: instant.optional(),
  failure: z.string().max(300).optional(),
});
export type ParentReport = z.infer<typeof parentReport>;

/** What every tier says of itself. */
export const ownReport = z.object({
  startedAt: instant,
  version: z.string().max(64),
  heldDays: z.array(heldDay).max(16),
  certificateExpiresAt: instant,
  /** Of a master: none. */
  keys: keyGauges.optional(),
  /** For how long signatures are accepted. */
  window: z.object({ longestPresignedSeconds: z.number(), clockSkewSeconds: z.number() }).optional(),
  /** Nearest first; of a master: none. */
  parents: z.array(parentReport).max(32).default([]),
});

export type OwnReport = z.infer<typeof ownReport>;

/** Names a key that secrets are sealed with, and tells nothing of it. */
export const custodyKeyId = z.string().regex(/^[0-9a-f]{16}$/, 'must be 16 hexadecimal digits');

/** What a master tells the others. `custodyKey`: the key that it seals with; absent in reports of old releases. */
export const masterReport = ownReport.extend({ custodyKey: custodyKeyId.optional() });
export type MasterReport = z.infer<typeof masterReport>;

/**
 * The newest of the feed that a region has accepted. The beacon itself is the proof: a master that was restored from a
 * backup learns from it how far the feed had come, and no region can claim what no master signed.
 */
const seenFeed = z.object({
  version: z.number().int().positive(),
  at: instant,
  /** Compact JWS. */
  beacon: z.string().max(MOST_BEACON_BYTES),
});

/** `feed`: the newest beacon that the edge has accepted, so that operators see how far a revocation has come. */
export const edgeReport = ownReport.extend({ feed: seenFeed.omit({ beacon: true }).optional() });
export type EdgeReport = z.infer<typeof edgeReport>;

/** An edge as its region last heard of it. */
export const heardEdge = z.object({ spiffeId: z.string().max(2048), heardAt: instant, report: edgeReport });

/** The newest checkpoint of the ledger that a region has accepted; the signed note is the proof. */
const seenCheckpoint = z.object({ size: z.number().int().nonnegative(), note: z.string().max(65_536) });

export const regionReport = ownReport.extend({
  /** Of a deputy: none. */
  edges: z.array(heardEdge).max(20_000).default([]),
  feed: seenFeed.optional(),
  checkpoint: seenCheckpoint.optional(),
});
/** The same without the proofs: what operators are shown. */
export const shownRegionReport = regionReport.omit({ edges: true }).extend({
  feed: seenFeed.omit({ beacon: true }).optional(),
  checkpoint: seenCheckpoint.omit({ note: true }).optional(),
});

export type RegionReport = z.infer<typeof regionReport>;

export const REPORT_PATH = '/v1/report';
/** How often a tier reports upwards, milliseconds. */
export const REPORT_EVERY_MS = 5_000;
