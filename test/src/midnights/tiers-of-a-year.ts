import { AcceptanceCounts, AcceptanceRecord, createServiceKeys, SignatureKeys } from '@sigv4-keyd/edge-keys';
import { configuration as edgeConfiguration, createEdge, RequestMeter, type Edge } from '@sigv4-keyd/edge-verifier';
import {
  CachedKeySource,
  HeldDays,
  isInWindow,
  KeydError,
  Prefetch,
  PREFETCH_HOURS,
  REGION_KEYS,
  spiffeIdOf,
  type Clock,
  type EdgeIdentity,
  type IssuedKey,
  type KeySource,
  type RegionIdentity,
  type RegionKeySource,
  type WindowRule,
} from '@sigv4-keyd/hop-protocol';
import { createLogger, keysBelow, Metrics, readConfiguration, WRITTEN_AT_ONCE } from '@sigv4-keyd/service-skeleton';
import {
  isRefused,
  kDate,
  kRegion,
  kSecret,
  kService,
  verifyRequest,
  type KRegion,
  type KService,
} from '@sigv4-keyd/sigv4-core';
import type { Test } from 'tap';
import type { Message } from '../edge-verifier/client.js';
import { DerivedPublicKeys } from '../edge-verifier/derived-public-keys.js';
import { DerivingParent } from '../edge-verifier/deriving-parent.js';
import { environmentOf } from '../edge-verifier/edge-under-test.js';

const TRUST_DOMAIN = 'keyd.test';
export const REGION = 'eu-west-1';
const WINDOW: WindowRule = { longestPresignedSeconds: 7 * 86_400, clockSkewSeconds: 900 };

/** One question upwards. `at` is the true time, epoch milliseconds. */
export interface Question {
  readonly hop: 'edge to region' | 'region to master';
  readonly at: number;
  readonly accessKeyIds: readonly string[];
}

export interface TiersOfAYear {
  readonly edges: readonly { readonly offMs: number; readonly verdictOn: (message: Message) => Promise<string> }[];
  /** Takes all questions since the last call. */
  readonly takeQuestions: () => readonly Question[];
}

/**
 * The three tiers of production on one clock, each with its own error, joined by calls in place of mTLS: what is proven
 * here is the rhythm of days, over a year.
 */
export function tiersOfAYear(
  t: Test,
  trueClock: Clock,
  {
    secrets,
    clockOf,
    offs,
  }: {
    readonly secrets: ReadonlyMap<string, string>;
    readonly clockOf: (offMs: number) => Clock;
    /** How far each clock is off, milliseconds. */
    readonly offs: { readonly master: number; readonly region: number; readonly edges: readonly number[] };
  },
): TiersOfAYear {
  const questions: Question[] = [];
  const asked = <Key>(hop: Question['hop'], source: KeySource<Key>): KeySource<Key> => ({
    issue(request) {
      questions.push({ hop, at: trueClock.now(), accessKeyIds: request.accessKeyIds });
      return source.issue(request);
    },
  });
  const random = (): number => 0.5;
  const region: RegionIdentity = { role: 'region', trustDomain: TRUST_DOMAIN, region: REGION, name: 'r1' };
  const regionClock = clockOf(offs.region);
  const regionDays = new HeldDays({
    hop: REGION_KEYS,
    ready: (key: KRegion) => key,
    clock: regionClock,
    window: WINDOW,
    memoryBytes: 64 * 1024 * 1024,
    hashSeed: Buffer.alloc(8),
    denialOf: () => undefined,
  });
  const regionKeys = new CachedKeySource({
    parent: asked('region to master', derivingMaster(secrets, clockOf(offs.master))),
    days: regionDays,
    clock: regionClock,
    random,
    absentForMs: 5_000,
    missBudget: { burst: 1_000, perSecond: 50 },
  });
  const onChange = (failure: unknown): void => {
    if (failure !== undefined) t.fail('the prefetch fails', { failure });
  };
  const keep = { random, onChange };
  t.teardown(
    new Prefetch({
      ...keep,
      keys: regionKeys,
      hours: PREFETCH_HOURS.region,
      identity: spiffeIdOf(region),
      clock: regionClock,
    }).start(),
  );
  const settings = readConfiguration(edgeConfiguration, environmentOf(t.testdir()));
  const edges = offs.edges.map((offMs, index) => {
    const clock = clockOf(offMs);
    const own: EdgeIdentity = { ...region, role: 'edge', service: 's3', name: `e${index}` };
    const take = (key: KRegion): KService => kService(key, own.service);
    const parent = asked('edge to region', keysBelow({ held: regionKeys, take, denialOf: () => undefined }));
    const keys = createServiceKeys(settings, { parent, clock, random, denialOf: () => undefined });
    const identity = spiffeIdOf(own);
    t.teardown(new Prefetch({ ...keep, keys, hours: PREFETCH_HOURS.edge, identity, clock }).start());
    const publicKeys = new DerivedPublicKeys(new DerivingParent(own.region, own.service));
    const sources = { 'AWS4-HMAC-SHA256': keys, 'AWS4-ECDSA-P256-SHA256': publicKeys };
    const log = createLogger({ service: 'edge', level: 'silent' });
    const edge = createEdge(own, settings, {
      clock,
      log,
      lines: WRITTEN_AT_ONCE,
      meter: new RequestMeter(new Metrics('edge-verifier')),
      keys: new SignatureKeys(own, {
        sources,
        guard: { objectionTo: () => undefined },
        sessions: { find: () => ({ session: undefined }) },
        window: WINDOW,
        record: new AcceptanceRecord(identity, { log, counts: new AcceptanceCounts(), clock }),
      }),
    });
    return { offMs, verdictOn: (message: Message) => verdictOf(edge, message) };
  });
  return { edges, takeQuestions: () => questions.splice(0) };
}

async function verdictOf({ policy, keys, clock }: Edge, { method, target, headers }: Message): Promise<string> {
  const head = { method, target, rawHeaders: headers.flat() };
  const verdict = await verifyRequest(head, policy, {
    now: clock.now(),
    lookupKey: (...question) => keys.find(...question),
  });
  return isRefused(verdict) ? verdict.reason : 'accepted';
}

function derivingMaster(secrets: ReadonlyMap<string, string>, clock: Clock): RegionKeySource {
  return {
    issue({ date, accessKeyIds }) {
      if (!isInWindow(WINDOW, date, clock.now())) return Promise.reject(new KeydError('date-outside-window'));
      const issued = new Map<string, IssuedKey<KRegion>>();
      for (const accessKeyId of accessKeyIds) {
        const facts = { accessKeyId, createdAt: 0, version: 1 };
        issued.set(accessKeyId, { facts, key: kRegion(kDate(kSecret(secrets.get(accessKeyId) ?? 'x'), date), REGION) });
      }
      return Promise.resolve({ issued, absent: new Map() });
    },
  };
}
