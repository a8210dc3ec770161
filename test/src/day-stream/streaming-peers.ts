import { createMtlsAgent, type MtlsAgent } from '@sigv4-keyd/fastify-mtls';
import {
  mtlsDaySource,
  PeerStreams,
  REGION_KEYS,
  SERVICE_KEYS,
  SIGNING_KEYS,
  type DaySource,
  type DayStreamRequest,
  type EdgeIdentity,
  type StreamedKey,
} from '@sigv4-keyd/hop-protocol';
import type { Test } from 'tap';
import type { TestAuthority } from '../support/certificates.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

type Identity = Parameters<TestAuthority['credentials']>[0];

/** Dials with the certificate of this identity, until the test is over. */
export async function agentOf(t: Test, authority: TestAuthority, identity: Identity): Promise<MtlsAgent> {
  const agent = createMtlsAgent({
    credentials: await authority.credentials(identity),
    timer: STANDING_TIMER,
    acceptsServer: () => true,
  });
  t.teardown(() => agent.destroy());
  return agent;
}

export async function regionStreams(
  t: Test,
  { authority, url }: { readonly authority: TestAuthority; readonly url: string },
  { region = 'us-east-1', name = 'r1' } = {},
): Promise<DaySource> {
  const dispatcher = await agentOf(t, authority, { role: 'region', region, name });
  return mtlsDaySource(REGION_KEYS, { region }, new PeerStreams({ urls: [new URL(url)], dispatcher }));
}

export async function edgeStreams(
  t: Test,
  { authority, url }: { readonly authority: TestAuthority; readonly url: string },
  {
    region = 'us-east-1',
    service = 's3',
    name = 'e1',
    purpose,
  }: Partial<Pick<EdgeIdentity, 'region' | 'service' | 'name' | 'purpose'>> = {},
): Promise<DaySource> {
  const dispatcher = await agentOf(t, authority, { role: 'edge', region, service, name, ...(purpose && { purpose }) });
  const hop = purpose ? SIGNING_KEYS : SERVICE_KEYS;
  return mtlsDaySource(hop, { region, service }, new PeerStreams({ urls: [new URL(url)], dispatcher }));
}

/** All keys of a stream, copied in time. */
export async function keysOf(source: DaySource, request: DayStreamRequest): Promise<readonly StreamedKey[]> {
  const keys: StreamedKey[] = [];
  for await (const page of source.pages(request)) {
    for (const { facts, key } of page) keys.push({ facts, key: Uint8Array.from(key) });
  }
  return keys;
}

export const idsOf = (keys: readonly StreamedKey[]): readonly string[] => keys.map(({ facts }) => facts.accessKeyId);
