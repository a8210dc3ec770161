import {
  ACCESS_KEY_IMPORT_PATH,
  isAttested,
  KeydError,
  mtlsKeySource,
  REGION_PUBLIC_KEYS,
  type AttestedPublicKey,
  type KeyAnswer,
  type KeySource,
} from '@sigv4-keyd/hop-protocol';
import { regionPublicKeysFor, type Custody } from '@sigv4-keyd/master-keyd';
import { p256 } from '@noble/curves/nist.js';
import { exportEcdsaPublicKey } from '@sigv4-keyd/sigv4-core';
import { createHmac } from 'node:crypto';
import t, { type Test } from 'tap';
import { z } from 'zod';
import {
  hmac,
  independentKRegion,
  sharedFeedKeys,
  startMaster,
  TODAY,
  type MasterUnderTest,
} from '../master-keyd/master-under-test.js';
import { issuedDirectly } from '../master-keyd/issued-directly.js';
import { spellings } from '../support/spellings.js';
import { TRUST_DOMAIN } from '../support/certificates.js';
import { day } from '../support/days.js';
import { askedAsEarlier } from '../support/earlier-release.js';
import { runSql } from '../support/postgres.js';

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const ACCESS_KEY_ID = 'AKIDEXAMPLE';
/** Of the public vectors: what this secret and access key id derive to. */
const PUBLIC_KEY =
  'b6618f6a65740a99e650b33b6b4b5bd0d43b176d721a3edfea7e7d2d56d936b1' +
  '865ed22a7eadc9c5cb9d2cbaca1b3699139fedc5043dc6661864218330c8e518';
const REQUEST = { date: day(TODAY), accessKeyIds: [ACCESS_KEY_ID] };

interface Asking {
  readonly master: MasterUnderTest;
  readonly publicKeys: (region?: string) => Promise<KeySource<AttestedPublicKey>>;
}

async function setUp(t: Test, restrictions: object = {}): Promise<Asking> {
  const master = await startMaster(t);
  const body = { owner: 'ann', accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET, ...restrictions };
  await (await master.operator()).call({ method: 'POST', path: ACCESS_KEY_IMPORT_PATH, body, answer: z.any() });
  return {
    master,
    async publicKeys(region = 'us-east-1') {
      const credentials = await master.authority.credentials({ role: 'region', region, name: 'r1' });
      return mtlsKeySource(REGION_PUBLIC_KEYS, { region }, master.clientOf(credentials));
    },
  };
}

const bytesOf = (answer: KeyAnswer<AttestedPublicKey>): string => {
  const issued = answer.issued.get(ACCESS_KEY_ID);
  return issued ? exportEcdsaPublicKey(issued.key.publicKey).toString('hex') : 'none';
};

/** The scalar by node:crypto alone. */
function privateScalar(): Buffer {
  const context = Buffer.concat([Buffer.from(ACCESS_KEY_ID), Buffer.of(1)]);
  const label = Buffer.from('AWS4-ECDSA-P256-SHA256');
  const input = Buffer.concat([Buffer.of(0, 0, 0, 1), label, Buffer.of(0), context, Buffer.of(0, 0, 1, 0)]);
  const candidate = createHmac('sha256', `AWS4A${SECRET}`).update(input).digest('hex');
  return Buffer.from((BigInt(`0x${candidate}`) + 1n).toString(16).padStart(64, '0'), 'hex');
}

t.test('the master gives out the public key and nothing that it was derived of', async (t) => {
  const { master, publicKeys } = await setUp(t);
  const before = master.received.length;
  t.equal((await (await publicKeys()).issue(REQUEST)).issued.size, 1);
  const credentials = await master.authority.credentials({ role: 'region', region: 'us-east-1', name: 'r1' });
  // In the clear, as earlier releases ask: what is sealed shows nothing anyway.
  const clear = askedAsEarlier(REGION_PUBLIC_KEYS, { region: 'us-east-1' }, master.clientOf(credentials));
  const answer = await clear.issue({ ...REQUEST, accessKeyIds: [ACCESS_KEY_ID, 'AKIANONE'] });
  t.equal(bytesOf(answer), PUBLIC_KEY);
  t.same([...answer.absent], [['AKIANONE', 'unknown']]);
  const issued = answer.issued.get(ACCESS_KEY_ID);
  const { pinned } = await sharedFeedKeys();
  const terms = { region: 'us-east-1', date: REQUEST.date };
  t.ok(issued && isAttested(issued.key, { ...terms, facts: issued.facts }, pinned), 'attested by the feed');

  const answers = Buffer.concat(master.received.slice(before));
  const log = Buffer.from(master.logged.join(''));
  const rows = await runSql(master.database, 'SELECT record FROM issuance');
  const database = Buffer.from(JSON.stringify(rows));
  t.ok(answers.includes(Buffer.from(PUBLIC_KEY, 'hex').toString('base64').slice(0, 84)), 'the answers were captured');
  t.ok(log.includes('issued publicKey'), 'the log was captured');
  t.ok(database.includes('publicKey'), 'the records were captured');
  const higher: readonly (readonly [string, Buffer])[] = [
    ['the secret', Buffer.from(SECRET)],
    ['the key of the KDF', Buffer.from(`AWS4A${SECRET}`)],
    ['the private scalar', privateScalar()],
    ['kSecret', Buffer.from(`AWS4${SECRET}`)],
    ['kDate', hmac(`AWS4${SECRET}`, TODAY)],
    ['kRegion', independentKRegion(SECRET, TODAY, 'us-east-1')],
  ];
  for (const [what, bytes] of higher) {
    for (const spelling of spellings(bytes)) {
      for (const [where, text] of Object.entries({ answers, log, database })) {
        t.notOk(text.includes(spelling), `${what} is not in the ${where}`);
      }
    }
  }
  const point = Buffer.from(p256.getPublicKey(privateScalar(), false)).toString('hex');
  t.equal(point, `04${PUBLIC_KEY}`, 'the scalar that was looked for is the one of this public key');
});

t.test('public keys are issued by the rules of kRegion', async (t) => {
  const { master, publicKeys } = await setUp(t, { regions: ['us-east-1'], expiresAt: '2026-11-22T13:00:00.000Z' });
  const us = await publicKeys();
  await t.rejects(us.issue({ ...REQUEST, date: day('20261201') }), { code: 'date-outside-window' });
  t.same([...(await (await publicKeys('eu-west-1')).issue(REQUEST)).absent], [[ACCESS_KEY_ID, 'not-for-scope']]);
  t.same(await runSql(master.database, 'SELECT * FROM issuance'), [], 'nothing was issued, and nothing recorded');
  t.equal(bytesOf(await us.issue(REQUEST)), PUBLIC_KEY);
  t.match(await runSql(master.database, 'SELECT rung, peer, region, scope_date, access_key_ids FROM issuance'), [
    {
      rung: 'publicKey',
      peer: `spiffe://${TRUST_DOMAIN}/region/us-east-1/r1`,
      region: 'us-east-1',
      scope_date: TODAY,
      access_key_ids: [ACCESS_KEY_ID],
    },
  ]);
  await master.clock.advance(3_600_000);
  t.same([...(await us.issue(REQUEST)).absent], [[ACCESS_KEY_ID, 'expired']]);
  const operator = await master.operator();
  await t.rejects(operator.call({ method: 'POST', path: REGION_PUBLIC_KEYS.path, body: REQUEST, answer: z.any() }), {
    code: 'role-not-allowed',
  });
  const scoped = { ...REQUEST, region: 'eu-west-1' };
  const credentials = await master.authority.credentials({ role: 'region', region: 'us-east-1', name: 'r1' });
  const call = { method: 'POST', path: REGION_PUBLIC_KEYS.path, body: scoped, answer: z.any() } as const;
  await t.rejects(master.clientOf(credentials).call(call), { code: 'malformed-request' }, 'no request names a scope');
});

t.test('a custody that cannot derive key pairs says so, and nothing is recorded', async (t) => {
  const { master } = await setUp(t);
  const refuse = (): Promise<never> => Promise.reject(new KeydError('algorithm-not-supported'));
  const custody: Custody = { seal: refuse, kDate: refuse, ecdsaPublicKey: refuse };
  const [asker, options] = issuedDirectly(t, master, custody);
  const source = regionPublicKeysFor(asker, { ...options, attestingKey: (await sharedFeedKeys()).revocation });
  await t.rejects(source.issue(REQUEST), { code: 'algorithm-not-supported', statusCode: 422 });
  t.same(await runSql(master.database, 'SELECT * FROM issuance'), []);
});
