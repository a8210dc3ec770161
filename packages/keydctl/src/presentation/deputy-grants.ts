import { dayText } from '@sigv4-keyd/console';
import type { DeputyGrant, ListedDeputyGrants } from '@sigv4-keyd/hop-protocol';
import type { Paint } from '../command-line/outcome.js';
import { shortInstant } from './age.js';
import { facts, table } from './table.js';

export function grantFacts(paint: Paint, { deputy, from, to, reason, by, at }: DeputyGrant): string {
  return facts(paint, [
    ['deputy', paint.bold(deputy)],
    ['days', `${dayText(from)} to ${dayText(to)}`],
    ['granted', `${shortInstant(at)} by ${by}`],
    ['reason', reason],
  ]);
}

export function grantTable(paint: Paint, grants: readonly DeputyGrant[]): string {
  const rows = grants.map(({ deputy, from, to, at, by, reason, withdrawn }) => [
    deputy,
    `${dayText(from)} to ${dayText(to)}`,
    `${shortInstant(at)} by ${by}`,
    withdrawn ? `${shortInstant(withdrawn.at)} by ${withdrawn.by}` : '-',
    reason,
  ]);
  return table(paint, ['deputy', 'days', 'granted', 'withdrawn', 'reason'], rows);
}

export function listedGrants(paint: Paint, { isAllowed, grants }: ListedDeputyGrants): string {
  const state = isAllowed ? '' : `\n\n${paint.red('Deputies are off (KEYD_ALLOW_DEPUTIES): no grant is in force.')}`;
  return (grants.length === 0 ? 'No days were ever granted to a deputy.' : grantTable(paint, grants)) + state;
}
