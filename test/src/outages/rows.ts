/** What is down, and what goes on. The README's table is made of these rows; each has a proof of its name. */
export interface OutageRow {
  readonly down: string;
  /** Requests with access keys that are held. */
  readonly held: string;
  /** Access keys that are not held yet. */
  readonly unheld: string;
  /** An operator's changes. */
  readonly changes: string;
}

const UNTIL = 'verified until one of the two clocks ends';
const UNAVAILABLE = 'refused, 503 `keys-unavailable`';

export const OUTAGES = {
  database: {
    down: 'PostgreSQL',
    held: UNTIL,
    unheld: UNAVAILABLE,
    changes: 'refused, 503 `database-unavailable`',
  },
  master: { down: 'master-keyd', held: UNTIL, unheld: UNAVAILABLE, changes: 'refused: nobody answers' },
  region: { down: 'region-keyd', held: UNTIL, unheld: UNAVAILABLE, changes: 'take effect when it is back' },
  both: { down: 'region-keyd and master-keyd', held: UNTIL, unheld: UNAVAILABLE, changes: 'refused: nobody answers' },
  certificate: {
    down: "an edge's certificate expired",
    held: UNTIL,
    unheld: UNAVAILABLE,
    changes: 'take effect when it was renewed, by itself',
  },
  regionCertificate: {
    down: "a region's certificate expired",
    held: UNTIL,
    unheld: UNAVAILABLE,
    changes: 'take effect when it was renewed, by itself',
  },
  clock: {
    down: "an edge's clock is wrong by more than 15 minutes",
    held: 'refused, `request-too-old` or `request-in-future`; a clock ahead verifies presigned URLs that live',
    unheld: 'the same',
    changes:
      'a clock ahead: at once; a clock behind takes all news for news of the future, and denies everything after 12 h',
  },
  edgeDisk: {
    down: "an edge's disk is full",
    held: 'verified; a restart then has to fetch what was not kept',
    unheld: 'fetched as ever',
    changes: 'take effect at once',
  },
  regionDisk: {
    down: "a region's disk is full",
    held: 'verified',
    unheld: `${UNAVAILABLE}: what cannot be recorded is not released`,
    changes: 'take effect at once',
  },
  edgeRestart: {
    down: 'an edge restarts while region-keyd is down',
    held: 'verified as before the restart; with `KEYD_KEY_CACHE=memory` refused, 503, until region-keyd is back',
    unheld: UNAVAILABLE,
    changes: 'take effect when region-keyd is back',
  },
  regionRestart: {
    down: 'region-keyd restarts while master-keyd is down',
    held: 'verified as before the restart, by every edge',
    unheld: UNAVAILABLE,
    changes: 'refused: nobody answers',
  },
  masterRestart: {
    down: 'master-keyd restarts while PostgreSQL is down',
    held: UNTIL,
    unheld: UNAVAILABLE,
    changes: 'refused: it waits for PostgreSQL, and ends after `KEYD_DATABASE_WAIT`',
  },
} as const satisfies Readonly<Record<string, OutageRow>>;

export type Outage = keyof typeof OUTAGES;
