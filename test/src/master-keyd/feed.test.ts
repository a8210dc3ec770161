import {
  ACCESS_KEY_IMPORT_PATH,
  BANS_PATH,
  FEED_PATH,
  feedAnswer,
  identityBan,
  KeydError,
  LIFTS_PATH,
  liftAnswer,
  listedBans,
  listedRevocations,
  REVOCATIONS_PATH,
  revocationAnswer,
  type PeerClient,
  type RevocationAnswer,
} from '@sigv4-keyd/hop-protocol';
import { FeedState, signStatement, verifyBeacon, type FeedDocument } from '@sigv4-keyd/revocation';
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { z } from 'zod';
import { RULE } from '../revocation/publisher.js';
import { day } from '../support/days.js';
import { runSql } from '../support/postgres.js';
import { sharedFeedKeys, startMaster, TODAY, type MasterUnderTest } from './master-under-test.js';

const INCIDENT = { incident: 'INC-7', reason: 'the logs show foreign signatures' };

function revoke(operator: PeerClient, body: object): Promise<RevocationAnswer> {
  const whole = { ...INCIDENT, ...body };
  return operator.call({ method: 'POST', path: REVOCATIONS_PATH, body: whole, answer: revocationAnswer });
}

function feed(client: PeerClient, query = ''): Promise<FeedDocument | undefined> {
  return client.call({ method: 'GET', path: `${FEED_PATH}${query}`, answer: feedAnswer.optional() });
}

async function regionClient(master: MasterUnderTest, region = 'us-east-1'): Promise<PeerClient> {
  return master.clientOf(await master.authority.credentials({ role: 'region', region, name: 'r1' }));
}

t.test('what was revoked is in the feed when the answer comes', async (t) => {
  const master = await startMaster(t);
  const { pinned } = await sharedFeedKeys();
  const operator = await master.operator();
  const region = await regionClient(master);
  const state = FeedState.empty(pinned, RULE);
  const first = await feed(region);
  if (!first) throw new Error('no feed');
  t.match(await state.accept(first, master.clock.now()), { beacon: { outcome: 'advanced' }, newStatements: [] });

  const answer = await revoke(operator, { region: 'us-east-1', from: '20261101', to: '20261122' });
  t.match(answer, { published: true, statement: { region: 'us-east-1', from: '20261101', to: '20261122', ...INCIDENT } });
  const next = await feed(region, `?version=${state.beacon?.version ?? 0}&wait=20`);
  if (!next) throw new Error('no news');
  const { newStatements } = await state.accept(next, master.clock.now());
  t.same(newStatements.map(({ statement }) => statement), [answer.statement]);
});
