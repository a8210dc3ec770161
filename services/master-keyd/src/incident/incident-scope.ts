import type { ScopeDate } from '@sigv4-keyd/sigv4-core';

/** What an incident is about: absent parts stand for all. Both days included. */
export interface IncidentScope {
  readonly accessKeyId?: string | undefined;
  readonly region?: string | undefined;
  readonly service?: string | undefined;
  readonly from: ScopeDate;
  readonly to: ScopeDate;
  /** Epoch milliseconds: access keys created at this instant or later are outside. */
  readonly issuedBefore?: number | undefined;
}

type ScopeValues = readonly [from: string, to: string, region: string | null, accessKeyId: string | null];

/** The values of $1 to $4 in the queries of this folder. */
export function scopeValues({ from, to, region, accessKeyId }: IncidentScope): ScopeValues {
  return [from, to, region ?? null, accessKeyId ?? null];
}

/** The owner of an access key that this database does not know, or no longer. */
export const NOT_KNOWN = '(not known here)';

/** The value of $5: access keys created before it. */
export function createdBefore({ issuedBefore }: IncidentScope): Date | null {
  return issuedBefore === undefined ? null : new Date(issuedBefore);
}

const SESSIONS_IN_SCOPE = 'SELECT id FROM access_key WHERE parent_id = $4';

/** The access key of $4 and its sessions, as an array: what is done to it is done to them. */
export const ACCESS_KEYS_IN_SCOPE = `($4::text || ARRAY(${SESSIONS_IN_SCOPE}))`;

/** The condition on rows of acceptance_day beside the days. Always true or false: none of the columns is ever null. */
export const IN_SCOPE = `(($3::text IS NULL OR region = $3) AND ($4::text IS NULL OR access_key_id = $4 OR access_key_id IN (${SESSIONS_IN_SCOPE}))
  AND ($5::text IS NULL OR service = $5)
  AND ($6::timestamptz IS NULL
       OR NOT EXISTS (SELECT FROM access_key WHERE id = access_key_id AND created_at >= $6)))`;

/** The values of $1 to $6 in queries of acceptances. */
export function acceptedValues(scope: IncidentScope): readonly (string | Date | null)[] {
  return [...scopeValues(scope), scope.service ?? null, createdBefore(scope)];
}
