import { createMtlsAgent } from '@sigv4-keyd/fastify-mtls';
import { mtlsKeySource, PeerClient, SERVICE_KEYS, type ServiceKeySource } from '@sigv4-keyd/hop-protocol';
import { scopeDateOf } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import { FeedTiers, REGION, statusOf } from '../feed/feed-tiers.js';

t.test(
  'a region counts what each of its edges asks for; one that floods costs the master next to nothing',
  async (t) => {
    const tiers = await FeedTiers.start(t);
    await tiers.feed.publish();
    const region = await tiers.startRegion({ env: { KEYD_PEER_REQUESTS_PER_SECOND: '3' } });
    const edge = async (name: string): Promise<ServiceKeySource> => {
      const credentials = await tiers.authority.credentials({ role: 'edge', region: REGION, service: 's3', name });
      const dispatcher = createMtlsAgent({ credentials, acceptsServer: ({ segments }) => segments[0] === 'region' });
      t.teardown(() => dispatcher.close());
      const urls = [new URL(region.url)];
      // Each request has a client of its own: nobody remembers what it was told.
      return {
        issue: (request) =>
          mtlsKeySource(SERVICE_KEYS, { region: REGION, service: 's3' }, new PeerClient({ urls, dispatcher })).issue(
            request,
          ),
      };
    };
    const date = scopeDateOf(tiers.clock.now());
    const bad = await edge('bad');
    for (let n = 0; n < 30; n += 1) await bad.issue({ date, accessKeyIds: [`AKIAMADEUP${n}`] });
    const asked = tiers.master.asked.length;
    for (let n = 30; n < 60; n += 1) {
      const question = { date, accessKeyIds: [`AKIAMADEUP${n}`] };
      await t.rejects(bad.issue(question), { code: 'too-many-requests', retryAfterSeconds: 1 });
    }
    t.equal(tiers.master.asked.length, asked, 'nothing of it comes up here');
    const { warnings } = await statusOf(region);
  t.ok(warnings.some((warning) => warning.includes('edge/eu-west-1/s3/bad has used up its budget')));
    t.equal((await (await edge('honest')).issue({ date, accessKeyIds: ['AKIAFEEDANN'] })).issued.size, 1);
    await tiers.clock.advance(1_000);
    t.equal((await bad.issue({ date, accessKeyIds: ['AKIAFEEDBEN'] })).issued.size, 1);
  },
);
