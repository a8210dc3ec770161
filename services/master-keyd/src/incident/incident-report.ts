import {
  MOST_LISTED,
  windowOfDays,
  type IncidentQuery,
  type IncidentReport,
  type WindowRule,
} from '@sigv4-keyd/hop-protocol';
import { describeScope, type SignedStatement } from '@sigv4-keyd/revocation';
import { DAY_MS, scopeDateOf, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Pool } from 'pg';
import { inTransaction, type Transaction } from '../database/transaction.js';
import { newestIssuedDay } from '../feed/newest-issued-day.js';
import { acceptedLists } from './accepted-lists.js';
import { acceptedScopes } from './accepted-scopes.js';
import { acceptedOutside } from './accepted-totals.js';
import { blastRadius } from './blast-radius.js';
import { droppedRollups } from './dropped-rollups.js';
import type { IncidentScope } from './incident-scope.js';
import { limitedReading } from './limited-reading.js';
import { logQuery } from './log-query.js';
import { notesOn } from './notes.js';
import { revocationsOf, revokedAccessKeys } from './revocations-of.js';
import { waysBack } from './sentences.js';

export interface IncidentReportOptions {
  readonly pool: Pool;
  readonly window: WindowRule;
  readonly now: () => number;
  /** For how many days acceptances are kept. */
  readonly keptDays: number;
  /** Every statement that was ever published. */
  readonly statements: () => readonly SignedStatement[];
  /** How long a report may take, milliseconds of the database server; absent: less than a client waits. */
  readonly withinMs?: number;
}

/** More than one statement is given elsewhere, less than `keydctl` waits for an answer. */
const WITHIN_MS = 12_000;

/** A year by region: more rows than these are for a program, not for a report. */
const MOST_DAYS = 400;

/**
 * What fell into a scope, all of one moment: reads a snapshot of the database. Throws KeydError `too-large` for a scope
 * of which too much was recorded to be added up in the time that a report may take.
 */
export async function incidentReport(query: IncidentQuery, options: IncidentReportOptions): Promise<IncidentReport> {
  const now = options.now();
  return inTransaction(options.pool, async (unlimited) => {
    await unlimited.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const transaction = limitedReading(unlimited, options.withinMs ?? WITHIN_MS);
    const to = query.to ?? lastDay(query.from, options.window, now, await newestIssuedDay(transaction, query));
    const scope: IncidentScope = { ...query, to };
    const statements = options.statements();
    const accepted = await acceptedIn(transaction, scope, statements);
    const dropped = await droppedRollups(transaction, scope);
    const radius = await blastRadius(transaction, scope);
    const keptFrom = scopeDateOf(now - options.keptDays * DAY_MS);
    return {
      at: new Date(now).toISOString(),
      scope: describeScope({ ...present(scope), from: scope.from, to: scope.to }),
      from: scope.from,
      to: scope.to,
      blastRadius: radius,
      accepted,
      revocations: revocationsOf(scope, statements),
      outside: await acceptedOutside(transaction, scope),
      dropped,
      waysBack: [...waysBack(scope, now)],
      notes: [...notesOn({ scope, accepted, dropped, radius, keptFrom })],
      logQuery: logQuery(scope),
    };
  });
}

async function acceptedIn(
  transaction: Transaction,
  scope: IncidentScope,
  statements: readonly SignedStatement[],
): Promise<IncidentReport['accepted']> {
  const most = { listed: MOST_LISTED, days: MOST_DAYS };
  const { total, byAccessKey, ...rest } = await acceptedLists(transaction, scope, most);
  const ids = byAccessKey.map(({ accessKeyId }) => accessKeyId);
  const scopes = await acceptedScopes(transaction, scope, ids);
  const revoked = revokedAccessKeys(byAccessKey, scopes, statements);
  return {
    ...total,
    ...rest,
    byAccessKey: byAccessKey.map(({ accessKeyId, owner, parentAccessKeyId, sessionName, counted }) => ({
      accessKeyId,
      owner,
      ...(parentAccessKeyId !== undefined && { parentAccessKeyId }),
      ...(sessionName !== undefined && { sessionName }),
      ...counted,
      revoked: revoked.has(accessKeyId),
    })),
  };
}

/** The newest day whose keys can have been issued: later ones do not exist yet, but for those that a deputy holds. */
function lastDay(from: ScopeDate, window: WindowRule, now: number, newestIssued: ScopeDate = from): ScopeDate {
  const newest = windowOfDays(window, now).at(-1) ?? scopeDateOf(now);
  return [from, newest, newestIssued].reduce((one, other) => (one < other ? other : one));
}

function present({ accessKeyId, region, service }: IncidentScope): {
  accessKeyId?: string;
  region?: string;
  service?: string;
} {
  return {
    ...(accessKeyId !== undefined && { accessKeyId }),
    ...(region !== undefined && { region }),
    ...(service !== undefined && { service }),
  };
}
