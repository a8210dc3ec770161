import type { CreatedAccessKey, IncidentReport } from '@sigv4-keyd/hop-protocol';
import { addDays, scopeDateOf, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Test } from 'tap';
import { until } from '../support/victim.js';
import type { Edge, Master, MixedTiers } from './mixed-tiers.js';

/** An access key that was used and then revoked, and how often it was accepted. */
export interface UsedAccessKey {
  readonly accessKeyId: string;
  readonly date: ScopeDate;
  readonly accepted: number;
}

/** Tiers that run now: who the operator asks, and whom clients ask. */
export interface RunningMix {
  readonly tiers: MixedTiers;
  readonly master: Master;
  readonly edges: readonly Edge[];
  /** What of them is of which release, for whoever reads the test's output. */
  readonly name: string;
}

/**
 * What a new access key needs of all tiers: it is made, its keys come down all hops to each edge, which verifies with
 * them; then it is revoked, and each edge has to hear of it. Tiers that do not understand each other never get there.
 */
export async function lifeOfAnAccessKey(t: Test, { tiers, master, edges, name }: RunningMix): Promise<UsedAccessKey> {
  const { keydctl } = tiers;
  const accessKey = (await keydctl(master, 'access-key', 'create', '--owner', name)) as unknown as CreatedAccessKey;
  const { accessKeyId } = accessKey;
  let accepted = 0;
  const isSaid = async (edge: Edge, expected: string, meanwhile: string): Promise<boolean> => {
    const verdict = await edge.verdictOn(accessKey);
    if (verdict === 'served') accepted += 1;
    if (verdict !== expected && verdict !== meanwhile) throw new Error(`${name}: ${verdict} instead of ${expected}`);
    return verdict === expected;
  };
  for (const edge of edges) await until(() => isSaid(edge, 'served', 'keys-unavailable'));
  t.pass(`${name}: a new access key is served`);

  const date = scopeDateOf(Date.now());
  const days = ['--from', dashed(date), '--to', dashed(addDays(date, 1))];
  const why = ['--incident', 'INC-1', '--reason', 'a test', '--yes'];
  await keydctl(master, 'revoke', '--access-key', accessKeyId, ...days, ...why);
  for (const edge of edges) await until(() => isSaid(edge, 'scope-revoked', 'served'));
  t.pass(`${name}: it is revoked everywhere`);
  return { accessKeyId, date, accepted };
}

/** Waits until the report counts exactly what was accepted of the access key. */
export async function untilReported(t: Test, mix: RunningMix, used: UsedAccessKey): Promise<void> {
  const { accessKeyId, date, accepted } = used;
  const scope = ['--access-key', accessKeyId, '--from', dashed(date)];
  await until(async () => {
    const report = (await mix.tiers.keydctl(mix.master, 'incident', 'report', ...scope)) as unknown as IncidentReport;
    if (report.accepted.count > accepted) throw new Error(`${mix.name}: ${report.accepted.count} of ${accepted}`);
    return report.accepted.count === accepted;
  });
  t.pass(`${mix.name}: what was accepted of it has arrived in the report`);
}

const dashed = (date: string): string => `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`;
