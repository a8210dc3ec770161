import { z } from 'zod';
import { instant, scopeDate } from './schemas.js';

/** What a tier tells the tier above about itself, and a region about the edges below it. Holds no key and no secret. */
const heldDay = z.object({ date: scopeDate, keys: z.number().int().nonnegative(), fetchedAt: instant });

/** What every tier says of itself. */
export const ownReport = z.object({
  startedAt: instant,
  version: z.string().max(64),
  heldDays: z.array(heldDay).max(16),
  certificateExpiresAt: instant,
});

export type OwnReport = z.infer<typeof ownReport>;

export const edgeReport = ownReport;
export type EdgeReport = z.infer<typeof edgeReport>;

/** An edge as its region last heard of it. */
export const heardEdge = z.object({ spiffeId: z.string().max(2048), heardAt: instant, report: edgeReport });

export const regionReport = ownReport.extend({ edges: z.array(heardEdge).max(20_000) });
export type RegionReport = z.infer<typeof regionReport>;

export const REPORT_PATH = '/v1/report';
/** How often a tier reports upwards, milliseconds. */
export const REPORT_EVERY_MS = 5_000;
