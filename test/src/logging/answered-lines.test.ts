import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { signed, wireOf } from '../edge-verifier/client.js';
import { until } from '../support/victim.js';
import { startAbove, startEdge, type EdgeOfWorkers } from '../workers/edge-of-workers.js';

// Whole edges as processes.
t.setTimeout(170_000);

const CONNECTIONS = 48;
const REQUEST_ID = /^x-(?:keyd|amz)-request-id: ([0-9a-f-]{36})\r$/gm;

/** Connections to all fronts, which ask at the same moment, each for another thing: half of them are refused. */
class Crowd {
  readonly #sockets: readonly Socket[];
  readonly #answers: string[];
  /** Resolves when all connections are gone, with all that was sent on them. */
  readonly gone: Promise<unknown>;
  onData: () => void = () => undefined;

  private constructor(sockets: readonly Socket[]) {
    this.#sockets = sockets;
    this.#answers = sockets.map(() => '');
    this.gone = Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    for (const [at, socket] of sockets.entries()) {
      socket.setEncoding('latin1');
      socket.on('error', () => socket.destroy());
      socket.on('data', (text: string) => {
        this.#answers[at] = `${this.#answers[at] ?? ''}${text}`;
        this.onData();
      });
    }
  }

  static async of({ proxy, forwardAuth }: EdgeOfWorkers): Promise<Crowd> {
    const sockets = Array.from({ length: CONNECTIONS }, (_, at) => {
      const [host = '', port] = (at % 3 === 0 ? proxy : forwardAuth).split(':');
      return connect(Number(port), host);
    });
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    return new Crowd(sockets);
  }

  ask(): void {
    const now = Date.now();
    for (const [at, socket] of this.#sockets.entries()) {
      const secret = at % 2 === 0 ? {} : { secret: 'not the secret of this access key' };
      socket.write(wireOf(signed({ now, target: `/key-${at}`, ...secret })));
    }
  }

  /** Of every answer whose head has come. */
  requestIds(): readonly string[] {
    return this.#answers.flatMap((text) => [...text.matchAll(REQUEST_ID)].map(([, id = '']) => id));
  }
}

/** Kills at the first answer to what all ask together: the rest of them is under way then. */
async function killed(edge: EdgeOfWorkers, kill: () => void): Promise<readonly string[]> {
  const crowd = await Crowd.of(edge);
  for (let round = 1; round <= 3; round += 1) {
    crowd.ask();
    await until(() => crowd.requestIds().length === round * CONNECTIONS);
  }
  crowd.onData = () => {
    crowd.onData = () => undefined;
    kill();
  };
  crowd.ask();
  await crowd.gone;
  return crowd.requestIds();
}

function withoutLine(requestIds: readonly string[], log: string): readonly string[] {
  return requestIds.filter((id) => !log.includes(`"requestId":"${id}"`));
}

const ENV = { KEYD_FORWARD_AUTH_FROM: 'request-line', KEYD_REFUSALS_PER_SECOND: '1000000' };

t.test('who was answered by an edge that was killed since finds the line in its log', async (t) => {
  const above = await startAbove(t);
  const edge = await startEdge(t, above, { workers: 1, env: ENV });
  const { victim } = edge;
  for (let death = 1; death <= 2; death += 1) {
    const answered = await killed(edge, () => victim.child?.kill('SIGKILL'));
    t.ok(answered.length > 3 * CONNECTIONS, 'it was killed while it answered');
    t.same(withoutLine(answered, edge.log()), []);
    await victim.kill();
    victim.start();
    await until(() =>
      edge.status().then(
        ({ ready }) => ready,
        () => false,
      ),
    );
  }
});

t.test('so it is when workers answered', async (t) => {
  const above = await startAbove(t);
  const edge = await startEdge(t, above, { workers: 2, env: ENV });
  const pids = await edge.pids();
  const answered = await killed(edge, () => {
    for (const pid of pids) process.kill(pid, 'SIGKILL');
  });
  t.ok(answered.length > 3 * CONNECTIONS);
  t.same(withoutLine(answered, edge.log()), []);
});
