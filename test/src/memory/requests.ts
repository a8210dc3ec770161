import type { CreatedAccessKey, CreatedSession } from '@sigv4-keyd/hop-protocol';
import { presigned, signed, type Draft, type Message } from '../edge-verifier/client.js';
import { REGION, SERVICE, type ProcessTiers } from './process-tiers.js';

export type Created = CreatedAccessKey | CreatedSession;

export async function createAccessKeys(
  { keydctl }: ProcessTiers,
  owners: readonly string[],
): Promise<readonly CreatedAccessKey[]> {
  const created: CreatedAccessKey[] = [];
  for (const owner of owners) {
    created.push((await keydctl('access-key', 'create', '--owner', owner)) as unknown as CreatedAccessKey);
  }
  return created;
}

/** Requests of every kind that leads to a key. */
export function messagesOf(accessKey: Created): readonly Message[] {
  const { accessKeyId, secretAccessKey: secret } = accessKey;
  const draft: Draft = {
    ...{ accessKeyId, secret, region: REGION, service: SERVICE, now: Date.now() },
    ...('sessionToken' in accessKey && { sessionToken: accessKey.sessionToken }),
  };
  return [
    signed(draft),
    signed({ ...draft, method: 'PUT', body: 'a body' }),
    presigned(draft),
    signed({ ...draft, regionSet: ['us-*'] }),
  ];
}
