import { addDays, scopeDateOf, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { RevokedScope } from './scope.js';

/** Sentences that say what is outside of the scope, and the ways back to service for what is inside. */
export function whatRemainsGood(scope: RevokedScope, now: number): string[] {
  const { accessKeyId, region, service, issuedBefore, from, to } = scope;
  const created = issuedBefore === undefined ? undefined : new Date(issuedBefore).toISOString();
  return [
    ...(region === undefined ? [] : [`Signatures for every region but ${region} remain good, of every day.`]),
    ...(service === undefined ? [] : [`Signatures for every service but ${service} remain good.`]),
    ...(accessKeyId === undefined ? [] : [`Signatures with every access key but ${accessKeyId} remain good.`]),
    `Signatures dated before ${dayOf(from)} or after ${dayOf(to)} (UTC) remain good.`,
    ...(created === undefined ? [] : [`Access keys created at ${created} or later are not hit.`]),
    ...waysBack(scope, now),
  ];
}

function waysBack({ to, issuedBefore, accessKeyId }: RevokedScope, now: number): string[] {
  if (to < scopeDateOf(now)) return [];
  const next = dayOf(addDays(to, 1));
  const wait = `honest clients are refused in this scope, too, until ${next} 00:00 UTC`;
  if (accessKeyId !== undefined) return [`Until then: ${wait}, or at once with another access key.`];
  return issuedBefore === undefined
    ? [
        `Way back: ${wait}: a day's signatures cannot be told apart. To bring them back earlier, lift this ` +
          'statement and revoke with issued-before instead; then give them new access keys.',
      ]
    : [`Way back: ${wait}, or at once with an access key created at ${new Date(issuedBefore).toISOString()} or later.`];
}

function dayOf(date: ScopeDate): string {
  return `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`;
}
