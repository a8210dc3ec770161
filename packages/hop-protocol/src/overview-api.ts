import { z } from 'zod';
import { identityBan } from './revocation-api.js';
import { accessKeyId, instant, regionName, scopeDate, serviceName } from './schemas.js';

/** The picture of the whole system for the operators' console: every list is bounded, counts are of all. */
export const OVERVIEW_PATH = '/v1/overview';

export const MOST_REGIONS_SHOWN = 200;
export const MOST_TIERS_SHOWN = 300;
export const MOST_REVOCATIONS_SHOWN = 50;
/** Edges that are named as those that a revocation has not reached. */
export const MOST_WAITED_FOR = 10;
export const MOST_BANS_SHOWN = 200;

const count = z.number().int().nonnegative();
const heard = z.object({ known: count, up: count });

/** What a revocation says of a region and day: `all` when it hits all services and access keys of its time. */
const revokedPart = z.enum(['none', 'some', 'all']);
export type RevokedPart = z.infer<typeof revokedPart>;

/** One region on one day. */
const regionDay = z.object({
  date: scopeDate,
  /** Access keys whose kRegion was issued to the replica that was given most. */
  issued: count,
  /** Edges that hold keys of the day, and the most keys that one of them holds. */
  edgesHolding: count,
  mostKeysHeld: count,
  revoked: revokedPart,
  /** Incidents of the revocations that hit it; at most five. */
  incidents: z.array(z.string()).max(5),
  /** Edges of the region that one of these revocations concerns, and those among them that have confirmed them all. */
  confirmed: z.object({ concerned: count, reached: count }).optional(),
});
export type RegionDay = z.infer<typeof regionDay>;

const regionRow = z.object({ region: regionName, replicas: heard, edges: heard, days: z.array(regionDay) });
export type RegionRow = z.infer<typeof regionRow>;

/** `silent`: heard of, but not lately. `unknown`: was given keys, and has never reported. */
export const TIER_STATES = ['up', 'silent', 'unknown'] as const;
const feedSeen = z.object({ version: count, at: instant });

const tier = z.object({
  spiffeId: z.string(),
  role: z.enum(['master', 'deputy', 'region', 'edge']),
  state: z.enum(TIER_STATES),
  heardAt: instant.optional(),
  version: z.string().optional(),
  certificateExpiresAt: instant.optional(),
  /** For how long it goes on with nobody above it. */
  autonomySeconds: count.optional(),
  keysHeld: count.optional(),
  /** Access keys in use whose key of tomorrow could be held and is not. */
  missingTomorrow: count.optional(),
  /** The newest beacon that it holds. */
  feed: feedSeen.optional(),
  /** Of a deputy: the days of the window whose kDate it may be given. */
  grantedDays: z.array(scopeDate).optional(),
});
export type TierRow = z.infer<typeof tier>;

/** A revocation that is in force. It has reached an edge that holds a beacon which names it. */
const openRevocation = z.object({
  id: z.string(),
  incident: z.string(),
  reason: z.string(),
  scope: z.string(),
  /** The scope once more, for a report on it. */
  region: regionName.optional(),
  service: serviceName.optional(),
  accessKeyId: accessKeyId.optional(),
  from: scopeDate.optional(),
  to: scopeDate.optional(),
  at: instant,
  edges: z.object({ concerned: count, reached: count }),
  waitingFor: z.array(z.string()).max(MOST_WAITED_FOR),
});
export type OpenRevocation = z.infer<typeof openRevocation>;

export const overview = z.object({
  at: instant,
  /** Who asks, by the certificate. */
  operator: z.string().optional(),
  today: scopeDate,
  /** The days of the window, tomorrow always among them; the oldest first. */
  days: z.array(scopeDate),
  warnings: z.array(z.string()),
  accessKeys: z.object({ enabled: count, disabled: count, sessions: count }),
  regions: z.array(regionRow).max(MOST_REGIONS_SHOWN),
  regionCount: count,
  /** Masters, deputies, regions, edges; among edges, those first that somebody should look at. */
  tiers: z.array(tier).max(MOST_TIERS_SHOWN),
  tierCount: count,
  feed: feedSeen.optional(),
  revocations: z.array(openRevocation).max(MOST_REVOCATIONS_SHOWN),
  revocationCount: count,
  /** Who is shut out, in the order of their SPIFFE ids. */
  bans: z.array(identityBan).max(MOST_BANS_SHOWN).default([]),
  banCount: count.default(0),
  ledger: z.object({
    /** Leaves of the newest checkpoint, and records that are no leaves yet. */
    size: count,
    pending: count,
    /** The newest checkpoint: a signed note. Absent before the first. */
    checkpoint: z.string().optional(),
    /** How much of the ledger each region and deputy has seen. */
    seenBy: z.array(z.object({ spiffeId: z.string(), size: count })).max(MOST_REGIONS_SHOWN),
  }),
});
export type Overview = z.infer<typeof overview>;
