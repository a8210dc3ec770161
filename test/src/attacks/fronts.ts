import { chmodSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { ALGORITHMS } from '@sigv4-keyd/sigv4-core';
import type { Test } from 'tap';
import { send, type Message, type Reply, type SendOptions } from '../edge-verifier/client.js';
import { startEdge, type EdgeUnderTest } from '../edge-verifier/edge-under-test.js';
import { ORIGINS, question, type Origin } from '../edge-verifier/question.js';
import { TestAuthority, TRUST_DOMAIN } from '../support/certificates.js';
import { startFastifySite, startNodeSite, type Site, type SiteOptions } from './in-process-sites.js';
import { Output } from './output.js';
import { headerOf } from './tampering.js';

/** A way in. */
export interface Front {
  readonly name: string;
  readonly kind: 'proxy' | 'forward-auth' | 'in-process';
  /** HOST:PORT */
  readonly address: string;
  readonly tls: boolean;
  /** Sends a message as it gets there: of forward auth, as a front would carry it. */
  readonly send: (message: Message) => Promise<Reply>;
  /** Grows with everything that gets behind the front. */
  readonly behind: () => number;
}

export interface Fronts {
  readonly all: readonly Front[];
  /** Of the two reverse proxies. */
  readonly edge: EdgeUnderTest;
  readonly sites: readonly Site[];
  /** All that was answered and logged. */
  readonly output: Output;
}

export interface FrontsOptions {
  readonly service?: string;
  /** Settings of the edges. */
  readonly env?: Readonly<Record<string, string>>;
  /** The same for what runs in process. */
  readonly inProcess?: SiteOptions;
}

const ALL_MODES = [
  'exact',
  'body',
  'unsigned',
  'streaming-signed',
  'streaming-signed-trailer',
  'streaming-unsigned-trailer',
] as const;

/** Every front, open for every payload mode and algorithm that it knows unless told otherwise. */
export async function startFronts(t: Test, options: FrontsOptions = {}): Promise<Fronts> {
  const { service = 's3' } = options;
  const output = new Output();
  const agents = {
    http: new HttpAgent({ keepAlive: true, maxSockets: 16 }),
    https: new HttpsAgent({ keepAlive: true, maxSockets: 16 }),
  };
  t.teardown(() => {
    agents.http.destroy();
    agents.https.destroy();
  });
  const sending = async (address: string, message: Message, sendOptions: SendOptions): Promise<Reply> => {
    const reply = await send(address, message, sendOptions);
    output.answered(reply);
    return reply;
  };
  const env = {
    KEYD_PAYLOAD_MODES: ALL_MODES.join(','),
    KEYD_ALGORITHMS: ALGORITHMS.join(','),
    KEYD_FORWARD_AUTH_BODIES: 'sent',
    ...options.env,
  };
  const edge = await startEdge(t, { service, env: { ...env, ...(await tlsFiles(t)) } });
  output.follow(edge.log);
  const proxyFront = { kind: 'proxy', behind: () => edge.upstream.wire.length } as const;
  const overTls = { agent: agents.https, tls: { rejectUnauthorized: false } };
  const proxies: readonly Front[] = [
    {
      ...proxyFront,
      ...{ name: 'reverse proxy', address: edge.proxy, tls: false },
      send: (message) => sending(edge.proxy, message, { agent: agents.http }),
    },
    {
      ...proxyFront,
      ...{ name: 'reverse proxy over TLS', address: edge.proxyTls, tls: true },
      send: (message) => sending(edge.proxyTls, message, overTls),
    },
  ];
  const forwardAuths = await Promise.all(
    ORIGINS.map(async (origin): Promise<Front> => {
      const asked = await startEdge(t, { service, env: { ...env, KEYD_FORWARD_AUTH_FROM: origin } });
      output.follow(asked.log);
      return {
        ...{ name: `forward auth, ${origin}`, kind: 'forward-auth', address: asked.forwardAuth, tls: false },
        send: (message) => sending(asked.forwardAuth, carried(message, origin), { agent: agents.http }),
        behind: acceptedLines(asked.log),
      };
    }),
  );
  const siteOptions = { service, payloads: ALL_MODES, ...options.inProcess };
  const sites = [await startFastifySite(t, siteOptions), await startNodeSite(t, siteOptions)];
  for (const { log } of sites) output.follow(log);
  const inProcess = sites.map(({ name, address, seen }): Front => ({
    ...{ name, kind: 'in-process', address, tls: false },
    send: (message) => sending(address, message, { agent: agents.http }),
    behind: () => seen.length,
  }));
  return { all: [...proxies, ...forwardAuths, ...inProcess], edge, sites, output };
}

/** The message as a front would ask about it, its body along. */
function carried(message: Message, origin: Origin): Message {
  const asked = question(message, origin, [], headerOf(message, 'host'));
  return { ...asked, body: message.body };
}

/** Counts the requests that a log says were accepted; each line is read once. */
function acceptedLines(log: readonly string[]): () => number {
  let read = 0;
  let accepted = 0;
  return () => {
    for (; read < log.length; read += 1) if (log[read]?.includes('"event":"request-accepted"')) accepted += 1;
    return accepted;
  };
}

async function tlsFiles(t: Test): Promise<Record<string, string>> {
  const authority = await TestAuthority.create(t.testdir());
  const { cert, key } = await authority.files(`spiffe://${TRUST_DOMAIN}/public`);
  chmodSync(key, 0o600);
  return { KEYD_PROXY_TLS_LISTEN: '127.0.0.1:0', KEYD_PROXY_TLS_CERT: cert, KEYD_PROXY_TLS_KEY: key };
}
