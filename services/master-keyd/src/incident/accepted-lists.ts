import type { IncidentReport } from '@sigv4-keyd/hop-protocol';
import { parseScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Transaction } from '../database/transaction.js';
import { COUNTED, countedOf, type Counted, type CountedRow } from './accepted-totals.js';
import { acceptedValues, IN_SCOPE, NOT_KNOWN, type IncidentScope } from './incident-scope.js';

export interface AcceptedAccessKey {
  readonly counted: Counted;
  readonly accessKeyId: string;
  readonly owner: string;
  /** Of a session. */
  readonly parentAccessKeyId?: string;
  readonly sessionName?: string;
  /** Epoch milliseconds; absent for an access key that this database does not know. */
  readonly createdAt?: number;
}

/** What was accepted in a scope. Lists are cut, the numbers are of all. */
export interface AcceptedLists {
  readonly total: Counted;
  readonly accessKeyCount: number;
  readonly edgeCount: number;
  /** Those with the most first. */
  readonly byAccessKey: readonly AcceptedAccessKey[];
  readonly byEdge: IncidentReport['accepted']['byEdge'];
  /** The newest, in order. */
  readonly byDay: IncidentReport['accepted']['byDay'];
}

interface AccessKeyGroup {
  readonly list: 'access key';
  readonly id: string;
  readonly owner: string | null;
  readonly created_at: Date | null;
  readonly parent_id: string | null;
  readonly session_name: string | null;
}

interface EdgeGroup {
  readonly list: 'edge';
  readonly edge: string;
  readonly region: string;
  readonly service: string;
}

interface DayGroup {
  readonly list: 'day';
  readonly scope_date: string;
  readonly region: string;
}

interface InAll extends CountedRow {
  readonly groups: string;
  readonly total_count: string;
  readonly total_first_at: Date;
  readonly total_last_at: Date;
}

type Row = InAll & (AccessKeyGroup | EdgeGroup | DayGroup);

/**
 * Counts what was accepted by access key, by edge and by day in one pass over the rows: a scope of months has millions.
 * The bits of GROUPING tell the three apart.
 */
export async function acceptedLists(
  transaction: Transaction,
  scope: IncidentScope,
  most: { readonly listed: number; readonly days: number },
): Promise<AcceptedLists> {
  const { rows } = await transaction.query<Row>(
    `WITH counted AS (
       SELECT CASE GROUPING(access_key_id, edge, scope_date) WHEN 3 THEN 'access key' WHEN 5 THEN 'edge' ELSE 'day' END
                AS list, access_key_id AS id, edge, region, service, scope_date, ${COUNTED}
         FROM acceptance_day WHERE scope_date BETWEEN $1 AND $2 AND ${IN_SCOPE}
        GROUP BY GROUPING SETS ((access_key_id), (edge, region, service), (scope_date, region))
     ), placed AS (
       SELECT counted.*,
              row_number() OVER (PARTITION BY list ORDER BY
                CASE list WHEN 'day' THEN 0 ELSE -count END, scope_date DESC, region DESC, id, edge) AS place,
              count(*) OVER all_of_it AS groups, sum(count) OVER all_of_it AS total_count,
              min(first_at) OVER all_of_it AS total_first_at, max(last_at) OVER all_of_it AS total_last_at
         FROM counted WINDOW all_of_it AS (PARTITION BY list)
     )
     SELECT placed.*, access_key.owner, access_key.created_at, access_key.parent_id, access_key.session_name FROM placed LEFT JOIN access_key USING (id)
      WHERE place <= CASE list WHEN 'day' THEN $8::integer ELSE $7::integer END ORDER BY list, place`,
    [...acceptedValues(scope), most.listed, most.days],
  );
  const [any] = rows;
  return {
    total: any ? totalOf(any) : { count: 0 },
    accessKeyCount: groupsOf(rows, 'access key'),
    edgeCount: groupsOf(rows, 'edge'),
    byAccessKey: rows.flatMap((row) => (row.list === 'access key' ? [accessKeyOf(row)] : [])),
    byEdge: rows.flatMap((row) =>
      row.list === 'edge' ? [{ edge: row.edge, region: row.region, service: row.service, ...countedOf(row) }] : [],
    ),
    byDay: rows.flatMap((row) => (row.list === 'day' ? dayOf(row) : [])).reverse(),
  };
}

/** The same in every row, whichever list it is of. */
function totalOf({ total_count: count, total_first_at: first_at, total_last_at: last_at }: Row): Counted {
  return countedOf({ count, first_at, last_at });
}

function groupsOf(rows: readonly Row[], list: Row['list']): number {
  return Number(rows.find((row) => row.list === list)?.groups ?? 0);
}

function accessKeyOf(row: InAll & AccessKeyGroup): AcceptedAccessKey {
  return {
    accessKeyId: row.id,
    owner: row.owner ?? NOT_KNOWN,
    ...(row.parent_id !== null && { parentAccessKeyId: row.parent_id }),
    ...(row.session_name !== null && { sessionName: row.session_name }),
    ...(row.created_at && { createdAt: row.created_at.getTime() }),
    counted: countedOf(row),
  };
}

function dayOf(row: InAll & DayGroup): IncidentReport['accepted']['byDay'] {
  const scopeDate = parseScopeDate(row.scope_date);
  return scopeDate === undefined ? [] : [{ scopeDate, region: row.region, ...countedOf(row) }];
}
