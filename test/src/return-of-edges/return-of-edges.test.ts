import { MASTER_ANSWERS_AFTER_MS, returnOfEdges, type Outage } from '@sigv4-keyd/bench/return-of-edges';
import t from 'tap';

const OUTAGE_SECONDS = 30;
const OUTAGE: Outage = {
  edges: 600,
  down: 'region',
  outageSeconds: OUTAGE_SECONDS,
  afterSeconds: 40,
  accessKeys: 500,
  accessKeysOfAnEdge: 5,
  requestsPerSecond: 1,
  seed: 7,
};
/** By then every edge has failed so often that its pauses are as long as they get: up to 5 s, by chance. */
const SETTLED = 20;
/** The longest pause, and a second for what was under way. */
const PAUSES_OVER = 6;

t.test(
  'the region was gone, and every edge comes up empty: what comes back is spread, and asked for once',
  async (t) => {
    const { tiers, served, refused } = await returnOfEdges(OUTAGE);
    const { edges, accessKeys, accessKeysOfAnEdge, requestsPerSecond } = OUTAGE;
    const clients = edges * requestsPerSecond;
    const { atRegion, atMaster, feed } = tiers;

    // A pause of 2.5 s on average, and a second until the next client: an edge asks every 3.5 s.
    const whileDown = atRegion.requests.peak(SETTLED, OUTAGE_SECONDS);
    t.ok(whileDown < (edges / 3.5) * 1.4, `${whileDown} requests a second by ${edges} edges while it is gone`);
    t.equal(atMaster.requests.total(0, OUTAGE_SECONDS), 0);
    t.equal(refused.total(0, OUTAGE_SECONDS - 1) > 0, true);

    const back = atRegion.requests.peak(OUTAGE_SECONDS);
    t.ok(back < clients * 0.75, `${back} requests in the busiest second, fewer than the ${clients} of clients`);
    const pairs = edges * accessKeysOfAnEdge;
    t.ok(atRegion.keys.total(OUTAGE_SECONDS) <= pairs, 'each edge asks for each of its access keys once');
    t.ok(atRegion.keys.total(OUTAGE_SECONDS) > pairs * 0.99);
    t.equal(tiers.overBudget, 0, 'no honest edge meets its budget');

    const atMasterKeys = atMaster.keys.total();
    t.ok(
      atMasterKeys <= accessKeys && atMasterKeys > accessKeys * 0.98,
      'the master is asked for each access key once',
    );
    t.equal(tiers.mostAtMaster, 1, 'one request at a time');
    t.ok(atMaster.requests.peak() <= 1000 / MASTER_ANSWERS_AFTER_MS);

    t.equal(refused.total(OUTAGE_SECONDS + PAUSES_OVER), 0, 'all are served again once the longest pause is over');
    t.ok(served.total(OUTAGE_SECONDS + PAUSES_OVER) > clients * 30);
    // A beat every 5 s, and a long poll that was cut off.
    t.ok(feed.peak(OUTAGE_SECONDS) < edges * 0.5, `${feed.peak(OUTAGE_SECONDS)} requests for the feed in a second`);
  },
);

t.test('the master was gone: it hears of its region alone, whatever the number of edges', async (t) => {
  for (const edges of [60, 600]) {
    const { tiers, refused } = await returnOfEdges({ ...OUTAGE, down: 'master', edges });
    const { atMaster } = tiers;
    const whileDown = atMaster.requests.total(0, OUTAGE_SECONDS);
    // Pauses of 2.5 s on average, and the short ones of the beginning.
    t.ok(whileDown > 0 && whileDown < 40, `${whileDown} requests in ${OUTAGE_SECONDS} s with ${edges} edges`);
    t.ok(atMaster.requests.peak(0, OUTAGE_SECONDS) <= 10);
    t.ok(atMaster.requests.peak(OUTAGE_SECONDS) <= 1000 / MASTER_ANSWERS_AFTER_MS);
    t.equal(tiers.mostAtMaster, 1, 'one request at a time');
    const keys = atMaster.keys.total(OUTAGE_SECONDS + PAUSES_OVER);
    t.ok(keys <= OUTAGE.accessKeys, 'each access key once');
    t.equal(tiers.overBudget, 0);
    // The pause of the region comes first, then that of the edge.
    t.equal(refused.total(OUTAGE_SECONDS + 2 * PAUSES_OVER), 0, 'all are served again');
  }
});
