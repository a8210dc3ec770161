import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { RevocationStatement } from './statement.js';

/** What a signature stands for, as far as revocation goes. */
export interface RevocableScope {
  readonly accessKeyId: string;
  readonly region: string;
  readonly service: string;
  /** The date of the credential scope: the day it was signed, not the day it is presented. */
  readonly date: ScopeDate;
  /** When the access key was created, epoch milliseconds. Undefined: unknown, and `issuedBefore` spares no such key. */
  readonly createdAt: number | undefined;
}

/** Whether the statement denies the scope. */
export function hits(statement: RevocationStatement, scope: RevocableScope): boolean {
  return (
    covers(statement.accessKeyId, scope.accessKeyId) &&
    covers(statement.region, scope.region) &&
    covers(statement.service, scope.service) &&
    hitsDay(statement, scope)
  );
}

/** The rest of `hits`, for who has found the statement by its access key, region and service. */
export function hitsDay(statement: RevocationStatement, { date, createdAt }: RevocableScope): boolean {
  // YYYYMMDD of four-digit years sorts as text as it does in time.
  return statement.from <= date && date <= statement.to && !isSpared(statement.issuedBefore, createdAt);
}

function covers(part: string | undefined, value: string): boolean {
  return part === undefined || part === value;
}

function isSpared(issuedBefore: number | undefined, createdAt: number | undefined): boolean {
  return issuedBefore !== undefined && createdAt !== undefined && createdAt >= issuedBefore;
}
