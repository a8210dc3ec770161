import {
  FEED_PROBLEMS,
  FeedState,
  isRevocation,
  type Acceptance,
  type AccessKeyChange,
  type AccessKeyLookup,
  type Beacon,
  type FeedDocument,
  type PinnedKeys,
  type RetentionRule,
  type RevocationLookup,
  type SignedStatement,
} from '@sigv4-keyd/revocation';
import type { Cancel, Clock } from '../clock.js';
import { FeedRefusals, type FeedLog } from './feed-log.js';
import type { FeedSource, HeldFeed } from './feed-source.js';
import type { FeedStorage } from './feed-storage.js';
import { FollowedSource, type SourceStatus } from './followed-source.js';
import { KeptState, type FeedMark, type SerialisedState } from './kept-state.js';
import { restoreFeedState } from './restore-feed-state.js';

export interface FeedFollowerOptions {
  /** Each is asked on its own; one honest source among them that can be reached is enough. */
  readonly sources: readonly FeedSource[];
  readonly keys: PinnedKeys;
  readonly rule: RetentionRule;
  readonly storage: FeedStorage;
  readonly clock: Clock;
  /** A number from 0 up to 1, for jitter. */
  readonly random: () => number;
  readonly log: FeedLog;
}

/** Is told what has changed, at once and before anything else happens. Must not throw. */
export interface FeedListener {
  /** In force from now on, and not before. */
  readonly onStatements?: (statements: readonly SignedStatement[]) => void;
  /** Likewise: what access keys are from now on. */
  readonly onAccessKeys?: (changes: readonly AccessKeyChange[]) => void;
  /** A newer beacon was accepted. */
  readonly onBeacon?: (beacon: Beacon) => void;
}

export interface FeedStatus {
  /** Of the newest accepted beacon; undefined: there is none. */
  readonly version: number | undefined;
  /** When that beacon was signed, epoch milliseconds. */
  readonly at: number | undefined;
  /** Statements that are held, lifts and what they lift included. */
  readonly statements: number;
  /** Access keys of which a change is known. */
  readonly accessKeyChanges: number;
  /** Whether a restart would find less than what is held. */
  readonly isUnsaved: boolean;
  readonly sources: readonly SourceStatus[];
}

/** Follows the revocation feed: asks every source, believes what the pinned keys signed, keeps it across restarts. */
export class FeedFollower {
  readonly #options: FeedFollowerOptions;
  readonly #state: FeedState;
  readonly #kept: KeptState;
  readonly #refusals: FeedRefusals;
  readonly #sources: readonly FollowedSource[];
  readonly #listeners = new Set<FeedListener>();

  private constructor(options: FeedFollowerOptions, state: FeedState) {
    const { clock, random, log, storage, sources } = options;
    this.#options = options;
    this.#state = state;
    const mark = (): FeedMark | undefined => markOf(state.beacon);
    const serialise = (): SerialisedState => ({ text: state.serialise(), mark: mark() });
    this.#kept = new KeptState({ storage, clock, log, serialise, restored: mark() });
    this.#refusals = new FeedRefusals(clock, log);
    const take = (document: FeedDocument, source: string): Promise<Acceptance> => this.#take(document, source);
    const held = (): HeldFeed => ({ version: state.beacon?.version ?? 0, setHash: state.beacon?.setHash });
    this.#sources = sources.map((source) => new FollowedSource({ source, clock, random, log, held, take }));
  }

  /** Takes up what was saved; nothing is asked before `start`. Never rejects for what the storage holds. */
  static async open(options: FeedFollowerOptions): Promise<FeedFollower> {
    return new FeedFollower(options, await restoreFeedState(options));
  }

  start(): void {
    for (const source of this.#sources) source.start();
  }

  /** Ends what is under way, and saves. Nothing is written after that. */
  async close(): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.stop()));
    await this.#kept.close();
  }

  /** What is believed; it changes by itself. */
  get state(): Pick<FeedState, 'beacon' | 'document' | 'freshness'> & {
    readonly revocations: RevocationLookup;
    readonly accessKeys: AccessKeyLookup;
  } {
    return this.#state;
  }

  /** How far the feed had come in what a restart would find; undefined: it would find no beacon. */
  get saved(): FeedMark | undefined {
    return this.#kept.saved;
  }

  /** All that is believed now, for a copy of it in another process of this tier: signed documents and nothing else. */
  serialise(): string {
    return this.#state.serialise();
  }

  /** What signatures are checked against. */
  get pinned(): PinnedKeys {
    return this.#options.keys;
  }

  subscribe(listener: FeedListener): Cancel {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get status(): FeedStatus {
    const { beacon, revocations, accessKeys } = this.#state;
    return {
      version: beacon?.version,
      at: beacon && Date.parse(beacon.at),
      statements: revocations.size,
      accessKeyChanges: accessKeys.size,
      isUnsaved: this.#kept.isFailing,
      sources: this.#sources.map(({ status }) => status),
    };
  }

  async #take(document: FeedDocument, source: string): Promise<Acceptance> {
    // The time is fixed once for the whole document, before anything of it is looked at.
    const now = this.#options.clock.now();
    const acceptance = await this.#state.accept(document, now);
    this.#tellRefusals(acceptance, source);
    const { newStatements, newChanges, beacon } = acceptance;
    if (newStatements.length > 0) this.#tellNews(newStatements, source);
    if (newChanges.length > 0) this.#tellChanges(newChanges, source);
    if (beacon.outcome === 'advanced') for (const { onBeacon } of this.#listeners) onBeacon?.(beacon.beacon);
    if (newStatements.length > 0 || newChanges.length > 0) this.#kept.changed('facts');
    else if (beacon.outcome === 'advanced') this.#kept.changed('beacon');
    return acceptance;
  }

  #tellNews(statements: readonly SignedStatement[], source: string): void {
    for (const { onStatements } of this.#listeners) onStatements?.(statements);
    const revocations = statements.filter(isRevocation).length;
    const line = { event: 'feed-statements', source, revocations, lifts: statements.length - revocations };
    this.#options.log.info(line, 'new statements of the feed are in force');
  }

  #tellChanges(changes: readonly AccessKeyChange[], source: string): void {
    for (const { onAccessKeys } of this.#listeners) onAccessKeys?.(changes);
    const line = { event: 'feed-access-keys', source, accessKeys: changes.length };
    this.#options.log.info(line, 'changes of access keys are in force');
  }

  #tellRefusals({ refusedStatements, beacon }: Acceptance, source: string): void {
    const codes = new Set(refusedStatements.map(({ code }) => code));
    for (const code of codes) this.#refusals.refused(source, 'statement', code, FEED_PROBLEMS[code]);
    if (beacon.outcome === 'refused') this.#refusals.refused(source, 'document', beacon.code, beacon.detail);
    else this.#refusals.accepted(source);
  }
}

function markOf(beacon: Beacon | undefined): FeedMark | undefined {
  return beacon && { version: beacon.version, setHash: beacon.setHash };
}
