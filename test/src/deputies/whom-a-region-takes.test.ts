import { createMtlsAgent } from '@sigv4-keyd/fastify-mtls';
import {
  encodeKeyAnswer,
  hasRole,
  JOURNAL_PATH,
  KeydError,
  keyRequest,
  mtlsKeySource,
  PeerClient,
  REGION_KEYS,
  REPORT_PATH,
  SERVICE_KEYS,
} from '@sigv4-keyd/hop-protocol';
import { configuration, startRegionKeyd } from '@sigv4-keyd/region-keyd';
import { createLogger, createMtlsApp, readConfiguration } from '@sigv4-keyd/service-skeleton';
import { exportKService, importKRegion } from '@sigv4-keyd/sigv4-core';
import t, { type Test } from 'tap';
import { hmac, independentKRegion, NOON, TODAY } from '../master-keyd/master-under-test.js';
import { TestAuthority, TRUST_DOMAIN } from '../support/certificates.js';
import { day } from '../support/days.js';
import { SmallMaster } from '../support/small-master.js';
import { newStateFolder } from '../support/state-folder.js';
import { TestFeed } from '../support/test-feed.js';
import { tierSettings } from '../support/tier-settings.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

type Identity = Parameters<TestAuthority['credentials']>[0];

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const DEPUTY = { role: 'deputy', name: 'd1' } as const;

/** What a server with some certificate was asked for, that answers regions whatever they ask. */
interface Standing {
  readonly url: string;
  readonly asked: string[];
}

async function standingFor(t: Test, authority: TestAuthority, identity: Identity): Promise<Standing> {
  const log = createLogger({ service: 'standing', level: 'silent' });
  const credentials = await authority.credentials(identity);
  const app = await createMtlsApp({ credentials, trustDomain: TRUST_DOMAIN, log });
  const config = { mtls: { roles: ['region'] } } as const;
  const asked: string[] = [];
  app.post(REGION_KEYS.path, { config, schema: { body: keyRequest } }, ({ peer, body: { date, accessKeyIds } }) => {
    if (!hasRole(peer, 'region')) throw new KeydError('role-not-allowed');
    asked.push(REGION_KEYS.path);
    const { region } = peer;
    const key = importKRegion(independentKRegion(SECRET, date, region));
    const issued = new Map(
      accessKeyIds.map((accessKeyId) => [accessKeyId, { facts: { accessKeyId, version: 1, createdAt: 0 }, key }]),
    );
    return encodeKeyAnswer(REGION_KEYS, date, { region }, { issued, absent: new Map() });
  });
  for (const path of [JOURNAL_PATH, REPORT_PATH]) {
    app.post(path, { config }, (_request, reply) => {
      asked.push(path);
      return reply.code(204).send();
    });
  }
  t.teardown(() => app.close());
  return { url: await app.listen({ host: '127.0.0.1', port: 0 }), asked };
}

interface Below {
  readonly master: SmallMaster;
  readonly feed: TestFeed;
  readonly clock: VirtualClock;
  readonly status: () => Promise<{ readonly feed: { readonly banned: readonly string[] } }>;
  /** kService of an access key, or why there is none. */
  readonly ask: (accessKeyId: string) => Promise<Buffer | string>;
}

/** A region below a small master, with `deputies` to ask beside it. */
async function regionWith(
  t: Test,
  authority: TestAuthority,
  { deputies, masters }: { readonly deputies: string; readonly masters?: string },
): Promise<Below> {
  const clock = new VirtualClock(NOON);
  const feed = await TestFeed.create(clock);
  await feed.publish();
  const credentials = await authority.credentials({ role: 'master', name: 'm1' });
  const known = {
    AKIAONE: { secretAccessKey: SECRET },
    AKIAOFF: { secretAccessKey: SECRET, absence: 'disabled' },
  } as const;
  const master = await SmallMaster.create(credentials, known, { board: feed, clock });
  const url = await master.listen();
  const region = await startRegionKeyd(
    readConfiguration(configuration, {
      ...tierSettings(
        await authority.filesOf({ role: 'region', region: 'us-east-1', name: 'r1' }),
        feed.jwks,
        newStateFolder(t),
      ),
      KEYD_LISTEN: '127.0.0.1:0',
      KEYD_MASTERS: masters ?? url.origin,
      KEYD_DEPUTIES: deputies,
    }),
    { clock, log: createLogger({ service: 'region-keyd', level: 'silent' }), timer: STANDING_TIMER, random: () => 0.5 },
  );
  const edge = await authority.credentials({ role: 'edge', region: 'us-east-1', service: 's3', name: 'e1' });
  const dispatcher = createMtlsAgent({ credentials: edge, timer: STANDING_TIMER, acceptsServer: () => true });
  t.teardown(async () => {
    await dispatcher.close();
    await region.close();
    await master.app.close();
  });
  const urls = [new URL(`https://${region.addresses['hop'] ?? ''}`)];
  const source = mtlsKeySource(
    SERVICE_KEYS,
    { region: 'us-east-1', service: 's3' },
    new PeerClient({ urls, dispatcher, timer: STANDING_TIMER }),
  );
  return {
    master,
    feed,
    clock,
    async ask(accessKeyId) {
      // Whatever failed before is asked again only after a pause.
      await clock.advance(60_000);
      try {
        const { issued, absent } = await source.issue({ date: day(TODAY), accessKeyIds: [accessKeyId] });
        const found = issued.get(accessKeyId);
        return found ? exportKService(found.key) : (absent.get(accessKeyId) ?? 'nothing');
      } catch (error) {
        return error instanceof KeydError ? error.code : String(error);
      }
    },
    async status() {
      const answer = await fetch(`http://${region.addresses['health'] ?? ''}/status`);
      return (await answer.json()) as Awaited<ReturnType<Below['status']>>;
    },
  };
}

const expected = hmac(independentKRegion(SECRET, TODAY, 'us-east-1'), 's3');

t.test('a deputy is asked for keys where masters fail, and for nothing else', async (t) => {
  const authority = await TestAuthority.create(t.testdir());
  const deputy = await standingFor(t, authority, DEPUTY);
  const { master, ask } = await regionWith(t, authority, { deputies: deputy.url });
  t.same(await ask('AKIAONE'), expected);
  t.equal(await ask('AKIAOFF'), 'disabled');
  t.equal(await ask('AKIANONE'), 'unknown');
  t.same(deputy.asked, [], 'what a master says counts, be it no');
  master.isDown = true;
  t.same(await ask('AKIATWO'), expected, 'a master that answers that it cannot is as good as none');
  t.same(deputy.asked, [REGION_KEYS.path], 'neither reports nor journals go to a deputy');
  master.isDown = false;
  t.equal(await ask('AKIATHREE'), 'unknown', 'and the master is preferred again');
  t.equal(deputy.asked.length, 1);
});

t.test('no other role is taken for a deputy, and a deputy for no master', async (t) => {
  const authority = await TestAuthority.create(t.testdir());
  for (const identity of [
    { role: 'region', region: 'us-east-1', name: 'd1' },
    { role: 'edge', region: 'us-east-1', service: 's3', name: 'd1' },
    { role: 'operator', name: 'd1' },
    { role: 'master', name: 'd1' },
  ] as const) {
    const other = await standingFor(t, authority, identity);
    const { master, ask } = await regionWith(t, authority, { deputies: other.url });
    master.isDown = true;
    t.equal(await ask('AKIATWO'), 'database-unavailable', identity.role);
    t.same(other.asked, [], identity.role);
  }
  const deputy = await standingFor(t, authority, DEPUTY);
  const nobody = 'https://127.0.0.1:9';
  const { ask } = await regionWith(t, authority, { masters: deputy.url, deputies: nobody });
  t.equal(await ask('AKIATWO'), 'parent-unavailable');
  t.same(deputy.asked, [], 'in the place of a master');
});

t.test('a region leaves a deputy that is banned', async (t) => {
  const authority = await TestAuthority.create(t.testdir());
  const deputy = await standingFor(t, authority, DEPUTY);
  const { master, feed, clock, ask, status } = await regionWith(t, authority, { deputies: deputy.url });
  master.isDown = true;
  t.same(await ask('AKIATWO'), expected);
  await feed.ban(`spiffe://${TRUST_DOMAIN}/deputy/d1`);
  for (let beats = 0; (await status()).feed.banned.length === 0; beats += 1) {
    if (beats === 300) throw new Error('the region does not hear of the ban');
    await clock.advance(1_000);
  }
  t.equal(await ask('AKIATHREE'), 'database-unavailable');
  t.same(deputy.asked, [REGION_KEYS.path], 'not asked again');
});
