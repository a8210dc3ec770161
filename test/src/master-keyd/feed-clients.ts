import {
  ACCESS_KEY_CHANGES_PATH,
  ACCESS_KEY_IMPORT_PATH,
  BANS_PATH,
  changedAccessKeys,
  FEED_PATH,
  feedAnswer,
  identityBan,
  LIFTS_PATH,
  liftAnswer,
  listedRevocations,
  REVOCATIONS_PATH,
  revocationAnswer,
  type ChangedAccessKeysAnswer,
  type IdentityBan,
  type LiftAnswer,
  type ListedRevocations,
  type PeerClient,
  type RevocationAnswer,
  type WantedAccessKeyChange,
} from '@sigv4-keyd/hop-protocol';
import type { FeedDocument } from '@sigv4-keyd/revocation';
import { z } from 'zod';
import type { MasterUnderTest } from './master-under-test.js';

/** What operators and regions ask a master about the feed. */
export const INCIDENT = { incident: 'INC-7', reason: 'the logs show foreign signatures' };
export const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

export function revoke(operator: PeerClient, body: object): Promise<RevocationAnswer> {
  const whole = { ...INCIDENT, ...body };
  return operator.call({ method: 'POST', path: REVOCATIONS_PATH, body: whole, answer: revocationAnswer });
}

export function revocations(operator: PeerClient): Promise<ListedRevocations> {
  return operator.call({ method: 'GET', path: REVOCATIONS_PATH, answer: listedRevocations });
}

export function submitLift(operator: PeerClient, jws: string): Promise<LiftAnswer> {
  return operator.call({ method: 'POST', path: LIFTS_PATH, body: { jws }, answer: liftAnswer });
}

export function ban(operator: PeerClient, spiffeId: string): Promise<IdentityBan> {
  const body = { spiffeId, reason: 'broken into' };
  return operator.call({ method: 'POST', path: BANS_PATH, body, answer: identityBan });
}

export function unban(operator: PeerClient, spiffeId: string): Promise<IdentityBan> {
  const path = `${BANS_PATH}?spiffeId=${encodeURIComponent(spiffeId)}`;
  return operator.call({ method: 'DELETE', path, answer: identityBan });
}

export function change(
  operator: PeerClient,
  accessKeyIds: readonly string[],
  change: WantedAccessKeyChange,
  more: object = {},
): Promise<ChangedAccessKeysAnswer> {
  const body = { accessKeyIds, change, ...more };
  return operator.call({ method: 'POST', path: ACCESS_KEY_CHANGES_PATH, body, answer: changedAccessKeys });
}

/** Undefined for 204. */
export function feed(client: PeerClient, query = ''): Promise<FeedDocument | undefined> {
  return client.call({ method: 'GET', path: `${FEED_PATH}${query}`, answer: feedAnswer.optional() });
}

/** The present document; there must be one. */
export async function presentFeed(client: PeerClient): Promise<FeedDocument> {
  const document = await feed(client);
  if (!document) throw new Error('there is no feed');
  return document;
}

export async function regionClient(master: MasterUnderTest, region = 'us-east-1', name = 'r1'): Promise<PeerClient> {
  return master.clientOf(await master.authority.credentials({ role: 'region', region, name }));
}

export function addAccessKey(operator: PeerClient, accessKeyId: string): Promise<unknown> {
  const body = { owner: 'ann', accessKeyId, secretAccessKey: SECRET };
  return operator.call({ method: 'POST', path: ACCESS_KEY_IMPORT_PATH, body, answer: z.unknown() });
}

/** What a master says of its own feed. */
const ownFeed = z.object({
  notReady: z.array(z.string()),
  feed: z.object({ isPublisher: z.boolean(), version: z.number(), unpublishable: z.number().optional() }),
});

export async function feedOf(master: MasterUnderTest): Promise<z.infer<typeof ownFeed>['feed']> {
  return ownFeed.parse((await master.health('/status')).body).feed;
}

/** A test that waits in vain says so after this time. Beats are no measure: they outrun the database. */
const PATIENCE_MS = 60_000;

/** Moves the clock from beat to beat until what is expected has come. */
export async function beatsUntil(master: MasterUnderTest, isSo: () => Promise<boolean>): Promise<void> {
  const begun = performance.now();
  while (!(await isSo())) {
    if (performance.now() - begun > PATIENCE_MS) throw new Error(`has not come: ${isSo.toString()}`);
    await master.clock.advance(2_000);
  }
}
