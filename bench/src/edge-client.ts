import { EMPTY_BODY_SHA256, signRequest } from '@sigv4-keyd/sigv4-core';
import { REGION, SERVICE } from './rollover/scope.js';

/** What edges of the stack verify for. */
export const CLIENT = {
  accessKeyId: 'AKIABENCHMARKS0001',
  secretAccessKey: 'a made-up secret for measuring only!',
  region: REGION,
  service: SERVICE,
};
export type Client = typeof CLIENT;

const HOST = 'localhost';
/** The headers of a GET that an edge of the stack verifies, host included. */
export function signedHeaders(target: string, { region, service, ...credentials }: Client): Record<string, string> {
  const unsigned = { method: 'GET', target, headers: [['host', HOST]] as const };
  const payload = { kind: 'exact', sha256: EMPTY_BODY_SHA256 } as const;
  const { headers } = signRequest(unsigned, credentials, { region, service, now: Date.now(), payload });
  return { host: HOST, ...Object.fromEntries(headers) };
}
