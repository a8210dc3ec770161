import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { REPORT_PATH, type EdgeReport, type PeerClient } from '@sigv4-keyd/hop-protocol';
import { encodeIssuanceRecord } from '@sigv4-keyd/ledger';
import { addDays, scopeDateOf, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Test } from 'tap';
import { z } from 'zod';
import { keydctlJson, type Call } from '../keydctl/keydctl-under-test.js';
import { NOON, startMaster, type MasterUnderTest } from '../master-keyd/master-under-test.js';
import { TestAuthority, TRUST_DOMAIN } from '../support/certificates.js';
import { runSql } from '../support/postgres-sql.js';
import { VirtualClock } from '../support/virtual-clock.js';

const REGIONS = ['eu-west-1', 'us-east-1'] as const;
const EDGES = ['s3/e1', 's3/e2', 'execute-api/e3'] as const;
const DEPUTY = 'deputy-1';
const AUTONOMY_SECONDS = 40_000;

/** `REGION/SERVICE/NAME` of edges. */
interface DifferentEdges {
  /** Nothing is heard of it. */
  readonly without?: string;
  /** These hold the first beacon still. */
  readonly behind?: readonly string[];
}

/** A real master over real mTLS; the deputy, regions and edges below it are what they say in their reports. */
export interface WatchedMaster {
  readonly master: MasterUnderTest;
  readonly url: string;
  readonly today: ScopeDate;
  readonly call: Call;
  readonly accessKeyIds: readonly string[];
  readonly keydctl: (...args: readonly string[]) => Promise<Record<string, unknown>>;
  /** The version of the newest beacon. */
  readonly feedVersion: () => Promise<number>;
  /** The deputy and the regions report; every edge holds the beacon of this version, but for those that differ. */
  readonly report: (feedVersion: number, edges?: DifferentEdges) => Promise<void>;
}

export async function watchedMaster(t: Test): Promise<WatchedMaster> {
  const clock = new VirtualClock(NOON);
  const authority = await TestAuthority.create(t.testdir());
  const master = await startMaster(t, { clock, authority, env: { KEYD_ALLOW_DEPUTIES: 'yes' } });
  const url = `https://${master.service.addresses['hop'] ?? ''}`;
  const credentials = dirname((await authority.filesOf({ role: 'operator', name: 'alice' })).cert);
  const call = { env: { KEYD_MASTER: url, KEYD_CREDENTIALS: credentials } };
  const keydctl: WatchedMaster['keydctl'] = (...args) => keydctlJson(args, call);
  const accessKeyIds: string[] = [];
  for (const owner of ['shop', 'backups']) {
    accessKeyIds.push(String((await keydctl('access-key', 'create', '--owner', owner))['accessKeyId']));
  }
  const today = scopeDateOf(clock.now());
  const held = [addDays(today, -1), today];
  const granted = ['--from', today, '--to', addDays(today, 1), '--reason', 'the master is moved'];
  await keydctl('deputy', 'grant', DEPUTY, ...granted);
  const deputy = master.clientOf(await authority.credentials({ role: 'deputy', name: DEPUTY }));
  const clients = new Map<string, PeerClient>();
  for (const region of REGIONS) {
    const source = await master.region(region);
    for (const date of held) await source.issue({ date, accessKeyIds });
    clients.set(region, master.clientOf(await authority.credentials({ role: 'region', region, name: 'r1' })));
    for (const edge of EDGES) await recordEdge(master, { region, edge, dates: held, accessKeyIds });
  }
  const now = (): string => new Date(clock.now()).toISOString();
  const own = (days: readonly ScopeDate[], autonomySeconds = AUTONOMY_SECONDS): EdgeReport => ({
    startedAt: NOON,
    version: '0.1.0',
    heldDays: days.map((date) => ({ date, keys: accessKeyIds.length, fetchedAt: NOON })),
    certificateExpiresAt: new Date(clock.now() + 86_400_000).toISOString(),
    parents: [],
    keys: {
      autonomySeconds,
      daysHeld: days.length,
      keysHeld: days.length * accessKeyIds.length,
      mostKeysADay: 1_000_000,
      memoryBytes: 1_000_000,
      prefetchLag: { accessKeys: 0, seconds: 0 },
      misses: { asked: 0, absent: 0, refused: 0, failed: 0 },
    },
  });
  return {
    master,
    url,
    today,
    call,
    accessKeyIds,
    keydctl,
    async feedVersion() {
      const { body } = await master.health('/status');
      return (body as { readonly feed: { readonly version: number } }).feed.version;
    },
    async report(version, { without, behind = [] } = {}) {
      for (const [region, client] of clients) {
        // The first edge has fetched the keys of tomorrow already.
        const edges = EDGES.filter((edge) => `${region}/${edge}` !== without).map((edge, place) => ({
          spiffeId: `spiffe://${TRUST_DOMAIN}/edge/${region}/${edge}`,
          heardAt: now(),
          report: {
            ...own(place === 0 ? [...held, addDays(today, 1)] : held, AUTONOMY_SECONDS - place),
            feed: { version: behind.includes(`${region}/${edge}`) ? 1 : version, at: now() },
          },
        }));
        const body = { ...own(held), edges };
        await client.call({ method: 'POST', path: REPORT_PATH, body, answer: z.undefined() });
      }
      const empty = { ...own([]), edges: [] };
      await deputy.call({ method: 'POST', path: REPORT_PATH, body: empty, answer: z.undefined() });
      // What the console is shown is kept for a second.
      await clock.advance(1_000);
    },
  };
}

/** What a region's journal would have brought: an edge was given kService. */
async function recordEdge(
  { database }: MasterUnderTest,
  given: {
    readonly region: string;
    readonly edge: string;
    readonly dates: readonly ScopeDate[];
    readonly accessKeyIds: readonly string[];
  },
): Promise<void> {
  const { region, edge, dates, accessKeyIds } = given;
  const [service = ''] = edge.split('/');
  for (const date of dates) {
    const record = encodeIssuanceRecord({
      v: 1,
      id: randomUUID(),
      at: new Date(NOON).toISOString(),
      from: `spiffe://${TRUST_DOMAIN}/region/${region}/r1`,
      to: `spiffe://${TRUST_DOMAIN}/edge/${region}/${edge}`,
      rung: 'kService',
      region,
      service,
      date,
      accessKeyIds: [...accessKeyIds].sort(),
      requestId: 'of-a-test',
    });
    await runSql(database, 'INSERT INTO issuance (record) VALUES ($1)', [record]);
  }
}
