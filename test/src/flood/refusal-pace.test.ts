import { RefusalPace, RefusalTurns } from '@sigv4-keyd/edge-verifier';
import { Agent } from 'node:http';
import t from 'tap';
import { NOW, send, signed, type Message, type Reply } from '../edge-verifier/client.js';
import { startEdge } from '../edge-verifier/edge-under-test.js';
import { question } from '../edge-verifier/question.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** Says how many of the turns have come by now. */
async function cameOf(turns: readonly Promise<void>[]): Promise<number> {
  let came = 0;
  for (const turn of turns) void turn.then(() => (came += 1));
  await new Promise(setImmediate);
  return came;
}

function turnsOf(pace: RefusalPace, count: number): readonly Promise<void>[] {
  return Array.from({ length: count }, () => pace.turn());
}

t.test('some refusals are answered at once, others a second late, and time brings new ones', async (t) => {
  const clock = new VirtualClock(NOW);
  const pace = new RefusalPace({ turns: new RefusalTurns({ perSecond: 5, clock }), clock });
  t.equal(await cameOf(turnsOf(pace, 50)), 50, 'a burst of ten seconds');
  const late = turnsOf(pace, 20);
  t.equal(await cameOf(late), 0);
  await clock.advance(999);
  t.equal(await cameOf(late), 0);
  await clock.advance(1);
  t.equal(await cameOf(late), 20);
  t.equal(await cameOf(turnsOf(pace, 20)), 5, 'five for the second that went by');
});

t.test('no more wait than a thousand: what comes then is answered at once', async (t) => {
  const clock = new VirtualClock(NOW);
  const pace = new RefusalPace({ turns: new RefusalTurns({ perSecond: 1, clock }), clock });
  t.equal(await cameOf(turnsOf(pace, 1_110)), 10 + 100);
  t.equal(clock.pending, 1_000);
});

t.test('nobody waits for an edge that closes', async (t) => {
  const clock = new VirtualClock(NOW);
  const pace = new RefusalPace({ turns: new RefusalTurns({ perSecond: 1, clock }), clock });
  const turns = turnsOf(pace, 30);
  pace.release();
  t.equal(await cameOf(turns), 30);
  t.equal(await cameOf(turnsOf(pace, 30)), 30, 'nor do those that come meanwhile');
  t.equal(clock.pending, 0, 'no alarm is left');
});

t.test('at both fronts, refusals beyond the pace wait and what is right does not', async (t) => {
  const edge = await startEdge(t, { env: { KEYD_REFUSALS_PER_SECOND: '1' } });
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  const fronts = {
    proxy: (message: Message) => send(edge.proxy, message, { agent }),
    forwardAuth: (message: Message) => send(edge.forwardAuth, question(message, 'x-original'), { agent }),
  };
  const wrong = signed({ secret: 'made up', now: edge.clock.now() });
  for (let refusal = 0; refusal < 10; refusal += 1) await fronts.proxy(wrong);
  for (const [front, ask] of Object.entries(fronts)) {
    const alarms = edge.clock.pending;
    const late = ask(wrong);
    const answers: Reply[] = [];
    void late.then((answer) => answers.push(answer));
    while (edge.clock.pending === alarms && answers.length === 0) await new Promise(setImmediate);
    t.same(answers, [], `${front}: a wrong one waits`);
    const honest = await ask(signed({ now: edge.clock.now() }));
    t.ok(honest.status < 300, `${front}: served while the other waits`);
    await edge.clock.advance(1_000);
    const { headers } = await late;
    t.equal(headers['x-keyd-reason'], 'signature-mismatch', `${front}: answered in the end`);
    // The second that went by has brought one, which is used up again.
    await ask(wrong);
  }
});
