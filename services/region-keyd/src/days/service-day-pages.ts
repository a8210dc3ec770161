import { setImmediate as otherWork } from 'node:timers/promises';
import type {
  CachedKeySource,
  DayStreamRequest,
  DenialOf,
  EdgeIdentity,
  RegionIdentity,
  StreamedKey,
} from '@sigv4-keyd/hop-protocol';
import type { KRegion, ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { IssuerLedger } from '@sigv4-keyd/service-skeleton';
import type { FastifyBaseLogger } from 'fastify';
import { logIssuance } from '../audit.js';
import type { DerivedRung } from '../edge-rungs.js';
import { issuanceToEdge } from '../journal/issuance-to-edge.js';
import type { RegionDays } from './region-days.js';

export interface ServiceDayOptions {
  readonly own: RegionIdentity;
  /** What of each kRegion goes down. */
  readonly derived: Pick<DerivedRung<unknown>, 'rung' | 'takeBytes'>;
  readonly regionKeys: CachedKeySource<KRegion>;
  readonly regionDays: Pick<RegionDays, 'idsOf'>;
  readonly ledger: Pick<IssuerLedger, 'record'>;
  readonly denialOf: DenialOf;
  readonly now: () => number;
}

/** What an edge asks for, and the request that it asked by. */
export interface ServiceDayRequest extends DayStreamRequest {
  readonly requestId: string;
  readonly log: FastifyBaseLogger;
}

/** Keys that are derived before other requests have a turn: a few milliseconds of work. */
const SLICE = 200;

/**
 * An edge's keys of a whole day, a page at a time, in the order of the access key ids. Each page is judged when it is
 * made, and recorded before it is released. A key that is not held any more is left out: the edge asks for it singly.
 */
export async function* serviceDayPages(
  edge: EdgeIdentity,
  { requestId, log, ...request }: ServiceDayRequest,
  options: ServiceDayOptions,
): AsyncGenerator<readonly StreamedKey[], void, undefined> {
  const { own, derived, regionDays, ledger, now } = options;
  const { date } = request;
  for await (const accessKeyIds of regionDays.idsOf(request)) {
    const page: StreamedKey[] = [];
    for (const [index, accessKeyId] of accessKeyIds.entries()) {
      if (index > 0 && index % SLICE === 0) await otherWork();
      const key = keyFor(edge, date, accessKeyId, options);
      if (key) page.push(key);
    }
    if (page.length === 0) continue;
    const released = page.map(({ facts }) => facts.accessKeyId);
    const issuance = { own, edge, rung: derived.rung, date, accessKeyIds: released, requestId, at: now() };
    await ledger.record(issuanceToEdge(issuance));
    logIssuance(log, issuance, accessKeyIds.length - page.length);
    yield page;
  }
}

function keyFor(
  edge: EdgeIdentity,
  date: ScopeDate,
  accessKeyId: string,
  { regionKeys, derived, denialOf }: ServiceDayOptions,
): StreamedKey | undefined {
  const held = regionKeys.days.copyOf(date, accessKeyId);
  if (!held) return undefined;
  try {
    const { facts, key } = held;
    if (denialOf(date, facts) !== undefined) return undefined;
    return { facts, key: derived.takeBytes(key, edge) };
  } finally {
    held.key.fill(0);
  }
}
