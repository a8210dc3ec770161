import type { IdentityBan, ListedBans } from '@sigv4-keyd/hop-protocol';
import type { Paint } from '../command-line/outcome.js';
import { shortInstant } from './age.js';
import { facts, table } from './table.js';

export function banFacts(paint: Paint, { spiffeId, reason, by, at }: IdentityBan, state: string): string {
  return facts(paint, [
    ['identity', paint.bold(spiffeId)],
    ['state', state],
    ['ban', `${shortInstant(at)} by ${by}`],
    ['reason', reason],
  ]);
}

export function banTable(paint: Paint, { bans }: ListedBans): string {
  if (bans.length === 0) return 'Nobody is banned.';
  const rows = bans.map(({ spiffeId, reason, by, at }) => [spiffeId, shortInstant(at), by, reason]);
  return table(paint, ['identity', 'since', 'by', 'reason'], rows);
}
