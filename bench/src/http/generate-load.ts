import { quantile } from '../distribution.js';
import { KeptConnection } from './kept-connection.js';
import { loadSettings, type LoadAnswered } from './load.js';
import { signedRequests } from './signed-requests.js';

/**
 * A process of its own that sends signed requests as fast as they are answered. They are signed ahead, so that the
 * server is the limit and not this. A message with a number runs a turn of so many requests.
 */
const settings = loadSettings.parse(JSON.parse(process.argv[2] ?? ''));
const requests = signedRequests(settings, Date.now());

/** What is under way of a turn. */
interface Turn {
  readonly begin: number;
  readonly latencies: number[];
  left: number;
  onEnd: (answered: LoadAnswered) => void;
}

let sent = 0;
let turn: Turn | undefined;
const sentAt = new Map<KeptConnection, number>();

function onAnswer(connection: KeptConnection): void {
  const now = performance.now();
  if (!turn) throw new Error('an answer came that nobody asked for');
  turn.latencies.push(now - (sentAt.get(connection) ?? Number.NaN));
  if (turn.left > 0) {
    ask(turn, connection, now);
    return;
  }
  sentAt.delete(connection);
  if (sentAt.size > 0) return;
  const { latencies, begin, onEnd } = turn;
  turn = undefined;
  const [p50Ms, p99Ms] = [quantile(latencies, 0.5), quantile(latencies, 0.99)];
  onEnd({ requests: latencies.length, seconds: (now - begin) / 1000, p50Ms, p99Ms });
}

function ask(of: Turn, connection: KeptConnection, now: number): void {
  of.left -= 1;
  sent += 1;
  const request = requests[sent % requests.length];
  if (request === undefined) throw new Error('no request was signed');
  sentAt.set(connection, now);
  connection.send(request);
}

/** Never sleeps while a turn lasts: the slower a server is, the more often it would pay for waking up who asks it. */
function spin(): void {
  if (turn) setImmediate(spin);
}

function run(count: number): Promise<LoadAnswered> {
  return new Promise((resolve) => {
    const begin = performance.now();
    const begun: Turn = { begin, latencies: [], left: count, onEnd: resolve };
    turn = begun;
    for (const connection of connections.slice(0, count)) ask(begun, connection, begin);
    if (settings.spins) spin();
  });
}

const connections = await Promise.all(
  Array.from({ length: settings.connections }, () => KeptConnection.open(settings.port, onAnswer)),
);
process.on('message', (count: unknown) => {
  void run(Number(count)).then((answered) => process.send?.(answered));
});
process.send?.('ready');
