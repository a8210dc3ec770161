import { quantile } from '../distribution.js';
import { KeptConnection } from './kept-connection.js';
import { loadSettings, type LoadAnswered } from './load.js';
import { signedRequests } from './signed-requests.js';

/**
 * A process of its own that sends signed requests as fast as they are answered. They are signed ahead, so that the
 * server is the limit and not this. A message with a number runs a turn of so many milliseconds.
 */
const settings = loadSettings.parse(JSON.parse(process.argv[2] ?? ''));
const requests = signedRequests(settings, Date.now());
const connections = await Promise.all(
  Array.from({ length: settings.connections }, () => KeptConnection.open(settings.port)),
);
let turn = 0;

function run(count: number): Promise<LoadAnswered> {
  const latencies: number[] = [];
  const begin = performance.now();
  return new Promise((resolve) => {
    let left = count;
    let busy = connections.length;
    const next = (connection: KeptConnection): void => {
      const sentAt = performance.now();
      if (left === 0) {
        busy -= 1;
        const seconds = (sentAt - begin) / 1000;
        const [p50Ms, p99Ms] = [quantile(latencies, 0.5), quantile(latencies, 0.99)];
        if (busy === 0) resolve({ requests: latencies.length, seconds, p50Ms, p99Ms });
        return;
      }
      left -= 1;
      turn += 1;
      const request = requests[turn % requests.length];
      if (request === undefined) throw new Error('no request was signed');
      connection.send(request, () => {
        latencies.push(performance.now() - sentAt);
        next(connection);
      });
    };
    for (const connection of connections) next(connection);
  });
}

process.on('message', (count: unknown) => {
  void run(Number(count)).then((answered) => process.send?.(answered));
});
process.send?.('ready');
