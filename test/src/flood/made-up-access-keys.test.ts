import { Agent } from 'node:http';
import t, { type Test } from 'tap';
import { HOST, send, signed, type Message } from '../edge-verifier/client.js';
import { ANN, BEN, FeedTiers, statusOf, until, type EdgeTier, type RegionTier } from '../feed/feed-tiers.js';

/** What edge-verifier lets its clients ask for that does not exist: at once, and a second after that. */
const AT_ONCE = 1_000;
const PER_SECOND = 50;
/** Requests that one client has under way. */
const TOGETHER = 64;

t.setTimeout(175_000);

/** One client that sends what it likes as fast as it is answered; each request names another access key. */
class FloodingClient {
  readonly reasons = new Map<string, number>();
  answered = 0;
  readonly #proxy: string;
  readonly #now: () => number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: TOGETHER });
  #sent = 0;

  constructor(edge: EdgeTier, now: () => number) {
    this.#proxy = edge.service.addresses['proxy'] ?? '';
    this.#now = now;
  }

  async send(requests: number): Promise<void> {
    const end = this.#sent + requests;
    const keepSending = async (): Promise<void> => {
      while (this.#sent < end) {
        this.#sent += 1;
        const { status, headers } = await send(this.#proxy, this.#madeUp(this.#sent), { agent: this.#agent });
        this.answered += 1;
        const reason = status === 200 ? 'served' : String(headers['x-keyd-reason']);
        this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: TOGETHER }, keepSending));
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Well-formed, fresh, and signed with a secret that nobody gave out. */
  #madeUp(number: number): Message {
    return signed({ accessKeyId: `AKIAMADEUP${number}`, secret: 'made up', host: HOST, now: this.#now() });
  }
}

interface Flooded {
  readonly tiers: FeedTiers;
  readonly region: RegionTier;
  readonly edge: EdgeTier;
  readonly client: FloodingClient;
  /** Made-up access keys that the master was asked for. */
  readonly atMaster: () => number;
}

/** As if refusals were all answered at once, so that the tiers above get to see as much as can be. */
const WITHOUT_A_PACE = { KEYD_REFUSALS_PER_SECOND: '1000000' };

interface Settings {
  readonly edge?: Readonly<Record<string, string>>;
  readonly region?: Readonly<Record<string, string>>;
}

async function setUp(t: Test, { edge: env = WITHOUT_A_PACE, region: regionEnv = {} }: Settings = {}): Promise<Flooded> {
  const tiers = await FeedTiers.start(t);
  await tiers.feed.publish();
  const region = await tiers.startRegion({ env: regionEnv });
  const edge = await tiers.startEdge(region.url, { env });
  await until(async () => ((await statusOf(edge)).feed.version ?? 0) > 0);
  const client = new FloodingClient(edge, () => tiers.clock.now());
  t.teardown(() => client.close());
  const atMaster = (): number =>
    tiers.master.asked.flatMap(({ accessKeyIds }) => accessKeyIds.filter((id) => id.startsWith('AKIAMADEUP'))).length;
  return { tiers, region, edge, client, atMaster };
}

t.test('made-up access keys at full speed: the tiers above see a trickle, honest clients are served', async (t) => {
  const { tiers, edge, client, atMaster } = await setUp(t);
  t.equal(await edge.verdictOn({ accessKeyId: ANN }), 'served');

  const over = client.send(3_000).then(() => true);
  let honest = 0;
  while (!(await Promise.race([over, new Promise((resolve) => setImmediate(resolve, false))]))) {
    t.equal(await edge.verdictOn({ accessKeyId: ANN }), 'served');
    honest += 1;
  }
  t.ok(honest > 10, `${honest} honest requests meanwhile`);
  // What was under way together may go beyond it, and is paid off later.
  const first = atMaster();
  t.ok(first >= AT_ONCE && first <= AT_ONCE + TOGETHER, `${first} of 3000 came to the master`);
  t.equal(client.reasons.get('access-key-unknown'), first, 'each was answered with what is true of it');
  t.equal(client.reasons.get('keys-unavailable'), 3_000 - first, 'nothing is said of those that nobody asked about');

  for (let second = 1; second <= 5; second += 1) {
    await tiers.clock.advance(1_000);
    await client.send(300);
    t.ok(atMaster() <= AT_ONCE + TOGETHER + PER_SECOND * second, `${atMaster()} after ${second} s`);
    t.equal(await edge.verdictOn({ accessKeyId: ANN }), 'served');
  }
  t.ok(atMaster() > first, 'it is a trickle, not a stop');
  t.ok(tiers.master.asked.length < atMaster() / 2, 'those that come together are asked for together');
});

t.test('an access key that is first used during a flood is served soon after its end', async (t) => {
  const { tiers, edge, client } = await setUp(t);
  await client.send(1_500);
  t.equal(await edge.verdictOn({ accessKeyId: BEN }), 'keys-unavailable', 'nobody can tell it from the others yet');
  let seconds = 0;
  while ((await edge.verdictOn({ accessKeyId: BEN })) !== 'served') {
    await tiers.clock.advance(1_000);
    seconds += 1;
  }
  // The debt of what was under way together is paid off at 50 a second.
  t.ok(seconds <= 1 + Math.ceil(TOGETHER / PER_SECOND), `${seconds} s`);
});

t.test('a flooded edge has its budget at the region: what it uses up is not taken from the others', async (t) => {
  const requestsPerSecond = 1;
  const env = { KEYD_PEER_REQUESTS_PER_SECOND: String(requestsPerSecond) };
  const { tiers, edge, region, client, atMaster } = await setUp(t, { region: env });
  const other = await tiers.startEdge(region.url, { name: 'e2' });
  await client.send(1_500);
  const asked = tiers.master.asked.length;
  // Ten seconds of requests at once; each brings those that came together.
  t.ok(asked <= 10 * requestsPerSecond, `${asked} requests came to the master`);
  t.ok(atMaster() <= asked * TOGETHER);
  t.ok((await statusOf(region)).warnings.some((warning) => warning.includes('/e1 has used up its budget')));
  t.equal(await edge.verdictOn({ accessKeyId: ANN }), 'keys-unavailable', 'the edge that is flooded waits');
  t.equal(await other.verdictOn({ accessKeyId: ANN }), 'served', 'the other does not');
});

t.test('a client that floods waits for its answers, and so floods no more; honest ones do not wait', async (t) => {
  const { tiers, edge, client } = await setUp(t, { edge: {} });
  const pace = { burst: 1_000, perSecond: 100 };
  t.equal(await edge.verdictOn({ accessKeyId: ANN }), 'served');
  // The clock stands still: whoever is answered was not made to wait.
  const honest = async (): Promise<void> => {
    for (let request = 0; request < 50; request += 1) t.equal(await edge.verdictOn({ accessKeyId: ANN }), 'served');
  };
  const over = client.send(2_000);
  await until(() => Promise.resolve(client.answered >= pace.burst));
  await honest();
  t.equal(client.answered, pace.burst, 'the others wait');
  let seconds = 0;
  for (; client.answered < 2_000 && seconds < 100; seconds += 1) {
    const before = client.answered;
    await tiers.clock.advance(1_000);
    await honest();
    const answered = client.answered - before;
    t.ok(answered <= TOGETHER + pace.perSecond, `${answered} in second ${seconds + 1}`);
  }
  await over;
  t.ok(seconds >= Math.floor(1_000 / (TOGETHER + pace.perSecond)), `${seconds} s for the rest`);
});
