import { createMtlsAgent } from '@sigv4-keyd/fastify-mtls';
import { mtlsKeySource, PeerClient, SERVICE_KEYS, type ServiceKeySource } from '@sigv4-keyd/hop-protocol';
import { scopeDateOf } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import { z } from 'zod';
import { FeedTiers, REGION, statusOf } from '../feed/feed-tiers.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

t.test(
  'a region counts what each of its edges asks for; one that floods costs the master next to nothing',
  async (t) => {
    const tiers = await FeedTiers.start(t);
    await tiers.feed.publish();
    const region = await tiers.startRegion({ env: { KEYD_PEER_REQUESTS_PER_SECOND: '3' } });
    const clientOf = async (name: string): Promise<PeerClient> => {
      const credentials = await tiers.authority.credentials({ role: 'edge', region: REGION, service: 's3', name });
      const dispatcher = createMtlsAgent({
        credentials,
        timer: STANDING_TIMER,
        acceptsServer: ({ segments }) => segments[0] === 'region',
      });
      t.teardown(() => dispatcher.close());
      return new PeerClient({ urls: [new URL(region.url)], dispatcher, timer: STANDING_TIMER });
    };
    /** Each request has a client of its own: nobody remembers what it was told. */
    const edge = (name: string): ServiceKeySource => ({
      issue: async (request) =>
        mtlsKeySource(SERVICE_KEYS, { region: REGION, service: 's3' }, await clientOf(name)).issue(request),
    });
    const date = scopeDateOf(tiers.clock.now());
    const bad = edge('bad');
    for (let n = 0; n < 30; n += 1) await bad.issue({ date, accessKeyIds: [`AKIAMADEUP${n}`] });
    const asked = tiers.master.asked.length;
    for (let n = 30; n < 60; n += 1) {
      const question = { date, accessKeyIds: [`AKIAMADEUP${n}`] };
      await t.rejects(bad.issue(question), { code: 'too-many-requests', retryAfterSeconds: 1 });
    }
    t.equal(tiers.master.asked.length, asked, 'nothing of it comes up here');
    const badly = { method: 'POST', path: SERVICE_KEYS.path, body: 'not a question', answer: z.unknown() } as const;
    await t.rejects((await clientOf('bad')).call(badly), { code: 'too-many-requests' }, 'it is not even read');
    await t.rejects((await clientOf('honest')).call(badly), { code: 'malformed-request' });
    const { warnings } = await statusOf(region);
    t.ok(warnings.some((warning) => warning.includes('edge/eu-west-1/s3/bad has used up its budget')));
    t.equal((await edge('honest').issue({ date, accessKeyIds: ['AKIAFEEDANN'] })).issued.size, 1);
    await tiers.clock.advance(1_000);
    t.equal((await bad.issue({ date, accessKeyIds: ['AKIAFEEDBEN'] })).issued.size, 1);
  },
);
