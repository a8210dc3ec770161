import { randomUUID } from 'node:crypto';
import { addDays, scopeDateOf } from '@sigv4-keyd/sigv4-core';
import {
  ChangedAccessKeys,
  createFeedKey,
  intoPages,
  isLift,
  isPage,
  mayBeForgotten,
  nameSet,
  pinFeedKeys,
  publicJwks,
  signAccessKeyPage,
  signBeacon,
  signStatement,
  verifyFact,
  verifyStatement,
  type AccessKeyChange,
  type Beacon,
  type FeedDocument,
  type FeedKey,
  type LiftStatement,
  type PinnedKeys,
  type RetentionRule,
  type RevocationStatement,
  type SignedPage,
  type SignedStatement,
} from '@sigv4-keyd/revocation';
import { day } from '../support/days.js';

export const RULE: RetentionRule = { longestPresignedSeconds: 604_800, clockSkewSeconds: 900 };
export const HOUR_MS = 3_600_000;
const EXPIRES_AFTER_MS = 24 * HOUR_MS;

export interface FeedKeys {
  readonly revocation: FeedKey;
  readonly beacon: FeedKey;
  readonly root: FeedKey;
  readonly pinned: PinnedKeys;
}

export async function createFeedKeys(): Promise<FeedKeys> {
  const [revocation, beacon, root] = await Promise.all([
    createFeedKey('revocation'),
    createFeedKey('beacon'),
    createFeedKey('root'),
  ]);
  return { revocation, beacon, root, pinned: await pinFeedKeys(publicJwks([revocation, beacon, root])) };
}

/** A statement over everything on 1 November, changed as told. */
export function revocation(changes: Partial<RevocationStatement> = {}): RevocationStatement {
  return {
    kind: 'revocation',
    id: randomUUID(),
    from: day('20261101'),
    to: day('20261101'),
    incident: 'INC-7',
    reason: 'the logs show foreign signatures',
    author: 'spiffe://keyd.example/operator/ann',
    at: '2026-11-05T12:00:00.000Z',
    ...changes,
  };
}

export function liftOf(
  lifted: SignedStatement<RevocationStatement>,
  changes: Partial<LiftStatement> = {},
): LiftStatement {
  return {
    kind: 'lift',
    id: randomUUID(),
    lifts: lifted.digest,
    to: lifted.statement.to,
    incident: 'INC-7',
    reason: 'all access keys were replaced',
    author: 'spiffe://keyd.example/operator/ben',
    at: '2026-11-06T12:00:00.000Z',
    ...changes,
  };
}

/** The last day that keys issued before a change of now can be for. */
export function lastDayOfChange(now: number): SignedPage['page']['to'] {
  return addDays(scopeDateOf(now + RULE.clockSkewSeconds * 1000), 1);
}

/** The master's side, as small as it can be: a set, a counter, and the keys. */
export class Publisher {
  readonly keys: FeedKeys;
  readonly #set = new Map<string, SignedStatement>();
  /** The last one is open, as long as its day lasts. */
  #pages: SignedPage[] = [];
  #version = 0;

  constructor(keys: FeedKeys) {
    this.keys = keys;
  }

  async revoke(changes: Partial<RevocationStatement> = {}): Promise<SignedStatement<RevocationStatement>> {
    const statement = revocation(changes);
    const signed = await this.sign(statement);
    this.#set.set(signed.jws, signed);
    return { ...signed, statement };
  }

  async lift(lifted: SignedStatement<RevocationStatement>): Promise<SignedStatement> {
    const signed = await this.sign(liftOf(lifted));
    this.#set.set(signed.jws, signed);
    return signed;
  }

  /** A publisher that lost what it knew, as from an old backup. */
  lose(signed: SignedStatement): void {
    this.#set.delete(signed.jws);
  }

  /** Changes of access keys, numbered with the version of the next beacon, in as few pages as may be. */
  async change(now: number, ...changes: readonly Omit<AccessKeyChange, 'change'>[]): Promise<void> {
    const to = lastDayOfChange(now);
    const last = this.#pages.at(-1);
    const open = last?.page.to === to ? last : undefined;
    const all = new Map((open?.page.changes ?? []).map((change) => [change.accessKeyId, change]));
    for (const change of changes) all.set(change.accessKeyId, { ...change, change: this.#version + 1 });
    const made: SignedPage[] = [];
    for (const page of intoPages([...all.values()])) {
      const jws = await signAccessKeyPage({ to, changes: page, at: new Date(now).toISOString() }, this.keys.revocation);
      const signed = await verifyFact(jws, this.keys.pinned);
      if (isPage(signed)) made.push(signed);
    }
    const pages = [...this.#pages.filter((page) => page !== open), ...made];
    const held = ChangedAccessKeys.of(pages);
    this.#pages = pages.filter(({ digest }) => held.needs(digest));
  }

  /** A publisher that lost the pages of all changes. */
  losePages(): void {
    this.#pages = [];
  }

  get pages(): readonly SignedPage[] {
    return this.#pages;
  }

  /** Signs without publishing. */
  async sign(statement: RevocationStatement | LiftStatement): Promise<SignedStatement> {
    const key = statement.kind === 'lift' ? this.keys.root : this.keys.revocation;
    return verifyStatement(await signStatement(statement, key), this.keys.pinned);
  }

  /** The next beat: the whole set of the moment, less what may be forgotten. */
  async document(now: number): Promise<FeedDocument & { readonly statements: readonly string[] }> {
    for (const [jws, { statement }] of this.#set) if (mayBeForgotten(statement, RULE, now)) this.#set.delete(jws);
    this.#pages = this.#pages.filter(({ page }) => !mayBeForgotten(page, RULE, now));
    const statements = this.forms;
    return { beacon: await this.beacon(now, statements), statements };
  }

  /** The next beacon, naming these statements, changed as told. */
  async beacon(now: number, statements: readonly string[], changes: Partial<Beacon> = {}): Promise<string> {
    this.#version += 1;
    const at = new Date(now).toISOString();
    const expires = new Date(now + EXPIRES_AFTER_MS).toISOString();
    const content = { version: this.#version, ...nameSet(statements), banned: [], at, expires, ...changes };
    return signBeacon(content, this.keys.beacon);
  }

  get version(): number {
    return this.#version;
  }

  /** The digests that the lifts of the set name. */
  get lifted(): ReadonlySet<string> {
    return new Set(this.published.filter(isLift).map(({ statement }) => statement.lifts));
  }

  /** The bytes of all that is published. */
  get forms(): readonly string[] {
    return [...this.#set.keys(), ...this.#pages.map(({ jws }) => jws)];
  }

  /** The truth: every statement that was not lost, lifts included. */
  get published(): readonly SignedStatement[] {
    return [...this.#set.values()];
  }
}
