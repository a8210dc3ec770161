import { chmodSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { PinnedKeys } from '@sigv4-keyd/hop-protocol';
import { ALGORITHMS, VERIFIABLE_MODES } from '@sigv4-keyd/sigv4-core';
import type { Test } from 'tap';
import { send, type Message, type Reply } from '../edge-verifier/client.js';
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
  /** What arrives there of a client's message: at forward auth, the question that a front asks about it. */
  readonly carry: (message: Message) => Message;
  /** Carries a message there. */
  readonly send: (message: Message) => Promise<Reply>;
  /** Grows with everything that gets behind the front. */
  readonly behind: () => number;
}

export interface Fronts {
  readonly all: readonly Front[];
  /** Of the two reverse proxies. */
  readonly edge: EdgeUnderTest;
  /** All of them. */
  readonly edges: readonly EdgeUnderTest[];
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
  /** Session tokens are taken, and judged by these; in process, by an edge's keys in place of static secrets. */
  readonly pinned?: PinnedKeys;
}

/** Every front, open for every algorithm and payload mode unless told otherwise. */
export async function startFronts(t: Test, { service = 's3', ...options }: FrontsOptions = {}): Promise<Fronts> {
  const output = new Output();
  const reached = (front: Omit<Front, 'send'>): Front => ({ ...front, send: sender(t, front, output) });
  const env = {
    KEYD_PAYLOAD_MODES: VERIFIABLE_MODES.join(','),
    KEYD_ALGORITHMS: ALGORITHMS.join(','),
    KEYD_FORWARD_AUTH_BODIES: 'sent',
    ...options.env,
  };
  const pinned = options.pinned && { pinned: options.pinned };
  const carry = (message: Message): Message => message;

  const edge = await startEdge(t, { service, ...pinned, env: { ...env, ...(await tlsFiles(t)) } });
  output.follow(edge.log);
  const proxy = { kind: 'proxy', carry, behind: () => edge.upstream.wire.length } as const;
  const proxies = [
    reached({ ...proxy, name: 'reverse proxy', address: edge.proxy, tls: false }),
    reached({ ...proxy, name: 'reverse proxy over TLS', address: edge.proxyTls, tls: true }),
  ];

  const edges = [edge];
  const forwardAuths: Front[] = [];
  for (const origin of ORIGINS) {
    const asked = await startEdge(t, { service, ...pinned, env: { ...env, KEYD_FORWARD_AUTH_FROM: origin } });
    edges.push(asked);
    const { forwardAuth: address, log } = asked;
    output.follow(log);
    const asking = { kind: 'forward-auth', carry: (message: Message) => carried(message, origin) } as const;
    forwardAuths.push(
      reached({ ...asking, name: `forward auth, ${origin}`, address, tls: false, behind: acceptedLines(log) }),
    );
  }

  const keys = options.pinned && { keys: edge.keys };
  const siteOptions = { service, payloads: VERIFIABLE_MODES, ...keys, ...options.inProcess };
  const sites = [await startFastifySite(t, siteOptions), await startNodeSite(t, siteOptions)];
  const inProcess = sites.map(({ name, address, seen, log }) => {
    output.follow(log);
    return reached({ kind: 'in-process', carry, name, address, tls: false, behind: () => seen.length });
  });
  return { all: [...proxies, ...forwardAuths, ...inProcess], edge, edges, sites, output };
}

function sender(t: Test, { address, tls, carry }: Omit<Front, 'send'>, output: Output): Front['send'] {
  const agent = new (tls ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: 16 });
  t.teardown(() => agent.destroy());
  const options = { agent, ...(tls && { tls: { rejectUnauthorized: false } }) };
  return async (message) => {
    const reply = await send(address, carry(message), options);
    output.answered(reply);
    return reply;
  };
}

/** The message as a front would ask about it, its body along. */
function carried(message: Message, origin: Origin): Message {
  return { ...question(message, origin, [], headerOf(message, 'host')), body: message.body };
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
