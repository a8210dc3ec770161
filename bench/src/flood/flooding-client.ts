import { Agent, request as send } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';
import { EMPTY_BODY_SHA256, signRequest } from '@sigv4-keyd/sigv4-core';
import { z } from 'zod';

const { host, region, service, together } = z
  .object({ host: z.string(), region: z.string(), service: z.string(), together: z.number() })
  .parse(workerData);

/** Access keys that nobody gave out, each once, as fast as they are answered, until the thread is ended. */
const agent = new Agent({ keepAlive: true, maxSockets: together });
const answers = new Map<string, number>();
let sent = 0;

function sendNext(): void {
  sent += 1;
  const credentials = { accessKeyId: `AKIAFLOOD${sent}`, secretAccessKey: 'made up' };
  const unsigned = { method: 'GET', target: '/bucket/key', headers: [['host', host]] as const };
  const payload = { kind: 'exact', sha256: EMPTY_BODY_SHA256 } as const;
  const { headers } = signRequest(unsigned, credentials, { now: Date.now(), region, service, payload });
  const request = send(`http://${host}/bucket/key`, { headers: { host, ...Object.fromEntries(headers) }, agent });
  request.once('response', (answer) => {
    const reason = String(answer.headers['x-keyd-reason']);
    answers.set(reason, (answers.get(reason) ?? 0) + 1);
    answer.resume();
    answer.once('end', sendNext);
  });
  request.once('error', () => setImmediate(sendNext));
  request.end();
}

parentPort?.on('message', () => parentPort?.postMessage(Object.fromEntries(answers)));
for (let client = 0; client < together; client += 1) sendNext();
