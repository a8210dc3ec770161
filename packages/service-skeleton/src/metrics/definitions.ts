/** The services that have metrics. */
export const WATCHED = ['master-keyd', 'deputy-keyd', 'region-keyd', 'edge-verifier', 'custody-signer'] as const;
export type Watched = (typeof WATCHED)[number];

/** All that there is to know of a metric before it is measured. docs/metrics.md is made from it. */
export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Each label, and the closed or configured set that its values are of: what clients choose is no label. */
  readonly labels: Readonly<Record<string, string>>;
  readonly services: readonly Watched[];
  /** Upper bounds of a histogram's buckets, seconds. */
  readonly buckets?: readonly number[];
}

const ALL = WATCHED;
const TIERS = ['master-keyd', 'deputy-keyd', 'region-keyd', 'edge-verifier'] as const;
const MASTER = ['master-keyd'] as const;
const REGION = ['region-keyd'] as const;
const EDGE = ['edge-verifier'] as const;
const SERVING = ['master-keyd', 'deputy-keyd', 'region-keyd'] as const;
const ISSUING = ['deputy-keyd', 'region-keyd'] as const;
const ANSWERING = ['master-keyd', 'deputy-keyd', 'region-keyd', 'custody-signer'] as const;
const BELOW = ['deputy-keyd', 'region-keyd', 'edge-verifier'] as const;
const COUNTING = ['region-keyd', 'edge-verifier'] as const;

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;
const ROUTE = 'the path of the route as it is defined, or `none`';
const ROLE = 'the role of the peers, such as `region` or `edge`';

/** What is counted when it happens. */
export const COUNTED = {
  keyd_requests_accepted_total: {
    type: 'counter',
    help: 'Requests whose signature and body were accepted.',
    labels: {
      mechanism: '`header`, `presigned` or `post-form`',
      algorithm: '`AWS4-HMAC-SHA256` or `AWS4-ECDSA-P256-SHA256`',
    },
    services: EDGE,
  },
  keyd_requests_refused_total: {
    type: 'counter',
    help: 'Requests that were refused, among them those that were accepted and could not be handed on (upstream-…).',
    labels: { reason: 'one of the reasons of refusals' },
    services: EDGE,
  },
  keyd_verification_seconds: {
    type: 'histogram',
    help: 'From the head of a request to the verdict; a body that must be hashed first is waited for.',
    labels: { verdict: '`accepted` or `refused`' },
    services: EDGE,
    buckets: SECONDS,
  },
  keyd_hop_request_seconds: {
    type: 'histogram',
    help: 'From a request of a peer or an operator to the end of its answer; the long poll of the feed waits for news.',
    labels: { route: ROUTE },
    services: ANSWERING,
    buckets: SECONDS,
  },
  keyd_hop_errors_total: {
    type: 'counter',
    help: 'Answers to peers and operators that are errors.',
    labels: { route: ROUTE, code: 'one of the error codes of a hop' },
    services: ANSWERING,
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

/** What is read when a scrape asks for it. */
export const READ = {
  keyd_build_info: {
    type: 'gauge',
    help: 'Always 1; the labels say what runs.',
    labels: { version: 'the release', service: 'the service' },
    services: ALL,
  },
  keyd_ready: {
    type: 'gauge',
    help: '1 while the service can do its work, as /health/ready says.',
    labels: {},
    services: ALL,
  },
  keyd_warnings: {
    type: 'gauge',
    help: 'Warnings of /health/ready that somebody should see to.',
    labels: {},
    services: ALL,
  },
  keyd_certificate_not_before_timestamp_seconds: {
    type: 'gauge',
    help: "Begin of the life of the service's own certificate.",
    labels: {},
    services: ALL,
  },
  keyd_certificate_not_after_timestamp_seconds: {
    type: 'gauge',
    help: "End of the life of the service's own certificate.",
    labels: {},
    services: ALL,
  },
  keyd_certificate_expiry_seconds: {
    type: 'gauge',
    help: "Seconds until the service's own certificate ends; below 0 it has ended.",
    labels: {},
    services: ALL,
  },
  keyd_feed_version: {
    type: 'gauge',
    help: 'Version of the newest beacon of the revocation feed; 0 before the first.',
    labels: {},
    services: TIERS,
  },
  keyd_feed_age_seconds: {
    type: 'gauge',
    help: 'Age of the newest beacon; +Inf before the first.',
    labels: {},
    services: TIERS,
  },
  keyd_feed_statements: {
    type: 'gauge',
    help: 'Revocation statements in force.',
    labels: {},
    services: TIERS,
  },
  keyd_feed_access_key_changes: {
    type: 'gauge',
    help: 'Access keys of which the feed tells a change.',
    labels: {},
    services: TIERS,
  },
  keyd_feed_banned_identities: {
    type: 'gauge',
    help: 'Identities that the newest beacon bans.',
    labels: {},
    services: TIERS,
  },
  keyd_feed_publisher: {
    type: 'gauge',
    help: '1 at the master that signs the beacons at present.',
    labels: {},
    services: MASTER,
  },
  keyd_feed_stale: {
    type: 'gauge',
    help: '1 past the horizon, or past the end of the beacon itself. Past the hard one an edge serves nothing.',
    labels: { horizon: '`soft` or `hard`' },
    services: BELOW,
  },
  keyd_feed_source_reachable: {
    type: 'gauge',
    help: '1 while this source of the feed answers.',
    labels: { source: 'HOST:PORT of the source, as configured' },
    services: BELOW,
  },
  keyd_ledger_size: {
    type: 'gauge',
    help: 'Leaves of the newest checkpoint of the ledger that is known here.',
    labels: {},
    services: TIERS,
  },
  keyd_ledger_checkpoint_age_seconds: {
    type: 'gauge',
    help: 'Since the ledger was last found to be in order: sequenced at master-keyd, its checkpoint accepted below.',
    labels: {},
    services: TIERS,
  },
  keyd_ledger_refused: {
    type: 'gauge',
    help: '1 while the checkpoint of the ledger is refused: it was set back, rewritten, or signed by a stranger.',
    labels: {},
    services: BELOW,
  },
  keyd_ledger_pending_records: {
    type: 'gauge',
    help: 'Records that are no leaves of the ledger yet.',
    labels: {},
    services: MASTER,
  },
  keyd_ledger_gaps: {
    type: 'gauge',
    help: 'Journals that are refused for a gap or a fork, and peers that have seen more of the ledger than there is.',
    labels: { kind: '`journal-refused` or `set-back`' },
    services: MASTER,
  },
  keyd_autonomy_seconds: {
    type: 'gauge',
    help: 'For how long the service goes on with nobody above it: until the end of today, or of tomorrow.',
    labels: {},
    services: BELOW,
  },
  keyd_midnight_ready: {
    type: 'gauge',
    help: "1 when tomorrow's keys of all access keys in use are held: the UTC midnight needs nobody.",
    labels: {},
    services: BELOW,
  },
  keyd_midnight_due: {
    type: 'gauge',
    help: "1 when the hours are over in which this tier fetches tomorrow's keys.",
    labels: {},
    services: BELOW,
  },
  keyd_prefetch_lag_seconds: {
    type: 'gauge',
    help: 'For how long keys of tomorrow have been missing that could be held.',
    labels: {},
    services: BELOW,
  },
  keyd_prefetch_lag_access_keys: {
    type: 'gauge',
    help: 'Access keys in use whose key of tomorrow could be held and is not.',
    labels: {},
    services: BELOW,
  },
  keyd_days_held: {
    type: 'gauge',
    help: 'Days of which any key of the ladder is held.',
    labels: {},
    services: BELOW,
  },
  keyd_keys_held: {
    type: 'gauge',
    help: 'Keys in memory.',
    labels: {
      kind: '`ladder` (AWS4-HMAC-SHA256) or `public` (AWS4-ECDSA-P256-SHA256)',
      day: '`past`, `today` or `tomorrow`',
    },
    services: BELOW,
  },
  keyd_key_capacity_per_day: {
    type: 'gauge',
    help: 'Keys of the ladder that fit on each day of the window (KEYD_KEY_MEMORY).',
    labels: {},
    services: BELOW,
  },
  keyd_key_memory_bytes: {
    type: 'gauge',
    help: 'Memory that held keys of the ladder take.',
    labels: {},
    services: BELOW,
  },
  keyd_key_misses_total: {
    type: 'counter',
    help: 'Access keys whose key was not held when it was wanted, by what became of it; each was asked for or refused.',
    labels: { outcome: '`asked`, `absent`, `refused` or `failed`' },
    services: BELOW,
  },
  keyd_parent_reachable: {
    type: 'gauge',
    help: '1 while the tier above takes the reports of this one.',
    labels: {},
    services: BELOW,
  },
  keyd_parent_healthy: {
    type: 'gauge',
    help: '1 for each parent that is asked, 0 for one that was put aside.',
    labels: { parent: 'URL of the parent, as configured' },
    services: BELOW,
  },
  keyd_rollup_waiting_bytes: {
    type: 'gauge',
    help: 'Counts of accepted signatures that wait on disk for the tier above.',
    labels: {},
    services: COUNTING,
  },
  keyd_journal_waiting_records: {
    type: 'gauge',
    help: 'Issuance records of the journal that the master does not have yet.',
    labels: {},
    services: ISSUING,
  },
  keyd_journal_failing: {
    type: 'gauge',
    help: '1 while nothing can be recorded, so that nothing is issued.',
    labels: {},
    services: ISSUING,
  },
  keyd_edges_heard: {
    type: 'gauge',
    help: 'Edges that reported here within a minute.',
    labels: {},
    services: REGION,
  },
  keyd_budget_keys_total: {
    type: 'counter',
    help: 'Access keys that peers asked for, out of their budgets.',
    labels: { role: ROLE },
    services: SERVING,
  },
  keyd_budget_refused_total: {
    type: 'counter',
    help: 'Requests that were refused since the budget of the peer was used up, or too many of its own were under way.',
    labels: { role: ROLE },
    services: SERVING,
  },
  keyd_budget_exhausted_peers: {
    type: 'gauge',
    help: 'Peers that are told to wait at present.',
    labels: { role: ROLE },
    services: SERVING,
  },
  keyd_database_up: {
    type: 'gauge',
    help: '1 while the database takes records.',
    labels: {},
    services: MASTER,
  },
  keyd_database_connections: {
    type: 'gauge',
    help: 'Connections to the database, and requests that wait for one.',
    labels: { state: '`busy`, `idle` or `waiting`' },
    services: MASTER,
  },
  keyd_custody_up: {
    type: 'gauge',
    help: '0 when the last key that was to be derived could not be, since the custody of the secrets did not serve.',
    labels: {},
    services: MASTER,
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

/** Every metric of the project. Those of the process and of Node.js are prom-client's own. */
export const METRICS: Readonly<Record<string, MetricDefinition>> = { ...COUNTED, ...READ };

type LabelOf<Definition extends MetricDefinition> = Extract<keyof Definition['labels'], string>;

/** The names of the metrics of a type that are counted. */
export type CountedName<Type extends MetricDefinition['type']> = {
  [Name in keyof typeof COUNTED]: (typeof COUNTED)[Name]['type'] extends Type ? Name : never;
}[keyof typeof COUNTED];

export type CountedLabels<Name extends keyof typeof COUNTED> = Readonly<
  Record<LabelOf<(typeof COUNTED)[Name]>, string>
>;

export interface Sample<Label extends string> {
  readonly labels: Readonly<Record<Label, string>>;
  readonly value: number;
}

/** What is read of a service at a scrape: all that it has, neither more nor less. */
export type Readings<Service extends Watched> = {
  readonly [
    Name in keyof typeof READ as Service extends (typeof READ)[Name]['services'][number] ? Name : never
  ]: LabelOf<(typeof READ)[Name]> extends never ? number : readonly Sample<LabelOf<(typeof READ)[Name]>>[];
};
