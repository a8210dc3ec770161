import { addDays, DAY_MS, startOfScopeDate, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { IncidentScope } from './incident-scope.js';

/** What a revocation of the scope leaves untouched, in words. */
export function remainsGood(scope: IncidentScope): readonly string[] {
  const { region, service, accessKeyId, from, to } = scope;
  return [
    ...(region === undefined ? [] : [`Signatures for every region other than ${region}.`]),
    ...(service === undefined ? [] : [`Signatures for every service other than ${service}.`]),
    ...(accessKeyId === undefined
      ? []
      : [`Signatures of every access key other than ${accessKeyId} and its sessions.`]),
    ...(scope.issuedBefore === undefined
      ? []
      : [`Signatures of access keys created at ${new Date(scope.issuedBefore).toISOString()} or later.`]),
    `Signatures dated before ${dayOf(from)} (UTC), presigned URLs that still live included.`,
    `Signatures dated after ${dayOf(to)} (UTC), with keys of those days.`,
  ];
}

/** How honest clients get back to service: SigV4 has no generation of keys inside a day. */
export function waysBack(scope: IncidentScope, now: number): readonly string[] {
  const { accessKeyId } = scope;
  const which = accessKeyId === undefined ? 'access keys as they are work' : 'this access key works';
  return [
    newAccessKeys(scope),
    `${whenOver(scope, now, which)}.`,
    accessKeyId === undefined
      ? 'First shut out what was broken into (keydctl identity ban), or it is given the keys of the next day, too.'
      : 'Whoever knows its secret signs again on the day after: rotate it, or delete it (keydctl access-key).',
  ];
}

function newAccessKeys({ accessKeyId, issuedBefore }: IncidentScope): string {
  if (accessKeyId !== undefined)
    return 'Create a new access key for the client (keydctl access-key create): it works at once.';
  const create = 'Create new access keys for the clients (keydctl access-key create)';
  return issuedBefore === undefined
    ? `${create}, and give the revocation --issued-before with an instant just before they were made: ` +
        'they work on the same day.'
    : `${create}: those made from ${new Date(issuedBefore).toISOString()} on work on the same day.`;
}

function whenOver({ region, to }: IncidentScope, now: number, which: string): string {
  const where = region === undefined ? 'everywhere' : `in ${region}`;
  const next = addDays(to, 1);
  if (startOfScopeDate(next) <= now) return `The last day of the scope, ${dayOf(to)}, is over: ${which} ${where} again`;
  const inHours = `in ${hoursUntil(next, now)} h`;
  return `From ${dayOf(next)} 00:00 UTC on (${inHours}) ${which} ${where} again, unless the revocation is made for longer`;
}

/** The day as people write it. */
export function dayOf(date: ScopeDate): string {
  return `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`;
}

function hoursUntil(date: ScopeDate, now: number): number {
  return Math.max(1, Math.ceil((startOfScopeDate(date) - now) / (DAY_MS / 24)));
}
