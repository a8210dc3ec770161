import {
  LONGEST_SESSION,
  SessionTokens,
  signSessionToken,
  verifySessionToken,
  type PinnedKeys,
  type Session,
} from '@sigv4-keyd/hop-protocol';
import { createFeedKey, pinFeedKeys, publicJwks, signDocument, type FlatContent } from '@sigv4-keyd/revocation';
import t from 'tap';
import { createFeedKeys, revocation } from '../revocation/publisher.js';
import { signStatement } from '@sigv4-keyd/revocation';
import { VirtualClock } from '../support/virtual-clock.js';

const NOW = Date.parse('2026-11-22T10:00:00Z');
const HOUR_MS = 3_600_000;
const ID = 'ASIAONEOFTHESESSIONS';
const SESSION: Session = {
  accessKeyId: ID,
  parentAccessKeyId: 'AKIATHEPARENTOFTHEM0',
  name: 'alice',
  services: ['s3'],
  createdAt: NOW,
  expiresAt: NOW + HOUR_MS,
};

/** Counts how often a signature is checked against what is pinned. */
class CountedKeys extends Map<string, PinnedKeys extends ReadonlyMap<string, infer Key> ? Key : never> {
  lookups = 0;

  override get(kid: string) {
    this.lookups += 1;
    return super.get(kid);
  }
}

async function setUp({ region = 'eu-west-1', service = 's3', mostHeld = 100 } = {}) {
  const keys = await createFeedKeys();
  const pinned = new CountedKeys(keys.pinned);
  const clock = new VirtualClock(NOW);
  const tokens = new SessionTokens({ region, service, pinned, clock, mostHeld });
  const token = await signSessionToken(SESSION, keys.revocation);
  return { keys, pinned, clock, tokens, token };
}

t.test('a token proves the session of its own access key, and is verified once', async (t) => {
  const { tokens, token, pinned } = await setUp();
  const first = tokens.find(ID, token);
  t.type(first, Promise);
  const together = await Promise.all([first, tokens.find(ID, token), tokens.find(ID, token)]);
  t.same(together, Array(3).fill({ session: SESSION }), 'those that come meanwhile wait for the same');
  t.equal(pinned.lookups, 1);
  t.same(tokens.find(ID, token), { session: SESSION }, 'then it is known at once');
  t.equal(pinned.lookups, 1);
});

t.test('what has no session and needs none passes; every other combination is refused', async (t) => {
  const { tokens, token } = await setUp();
  t.same(tokens.find('AKIALONGLIVED', undefined), { session: undefined });
  t.same(tokens.find('AKIALONGLIVED', token), { reason: 'session-token-mismatch' }, 'a long-lived access key has none');
  t.same(tokens.find('AKIALONGLIVED', ''), { reason: 'session-token-mismatch' });
  t.same(tokens.find(ID, undefined), { reason: 'session-token-required' });
  t.same(await tokens.find('ASIASOMEOTHERSESSION', token), { reason: 'session-token-mismatch' });
  t.same(tokens.find('ASIASOMEOTHERSESSION', token), { reason: 'session-token-mismatch' }, 'once it is known, too');
});

t.test('a session ends at its very instant, however well its token is known', async (t) => {
  const { tokens, token, clock } = await setUp();
  t.match(await tokens.find(ID, token), { session: { name: 'alice' } });
  await clock.advance(HOUR_MS - 1);
  t.match(tokens.find(ID, token), { session: { name: 'alice' } });
  await clock.advance(1);
  t.same(tokens.find(ID, token), { reason: 'session-token-expired' });
});

t.test('restrictions of the token hold where the request is', async (t) => {
  const elsewhere = await setUp({ service: 'sqs' });
  t.same(await elsewhere.tokens.find(ID, elsewhere.token), { reason: 'access-key-not-for-scope' });
  const { keys, tokens } = await setUp();
  const other = await signSessionToken({ ...SESSION, regions: ['us-east-1'] }, keys.revocation);
  t.same(await tokens.find(ID, other), { reason: 'access-key-not-for-scope' });
  const both = await signSessionToken({ ...SESSION, regions: ['eu-west-1', 'us-east-1'] }, keys.revocation);
  t.match(await tokens.find(ID, both), { session: { regions: ['eu-west-1', 'us-east-1'] } });
});

t.test('what no pinned key signed as a session token is none', async (t) => {
  const { keys, tokens, token } = await setUp();
  const [header = '', payload = '', signature = ''] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, string>;
  const sign = (content: FlatContent): Promise<string> => signDocument('session', content, keys.revocation);
  const encoded = (content: object): string => Buffer.from(JSON.stringify(content)).toString('base64url');
  const stranger = await createFeedKey('revocation');
  const last = signature.endsWith('A') ? 'Q' : 'A';
  const hostile: Readonly<Record<string, string>> = {
    'nothing at all': '',
    'no JWS': 'IQoJb3JpZ2luX2VjEAAaCXVzLWVhc3QtMSJIMEYCIQ',
    'another life': `${header}.${encoded({ ...claims, expires: '2026-11-23T10:00:00.000Z' })}.${signature}`,
    'another access key': `${header}.${encoded({ ...claims, accessKeyId: 'ASIAMINE' })}.${signature}`,
    'another signature': `${header}.${payload}.${signature.slice(0, -2)}${last}${signature.slice(-1)}`,
    'no signature': `${header}.${payload}.`,
    'a foreign key': await signSessionToken(SESSION, stranger),
    'no algorithm': `${encoded({ alg: 'none', typ: 'keyd-session+jwt', kid: keys.revocation.kid })}.${payload}.${signature}`,
    'an HMAC': `${encoded({ alg: 'HS256', typ: 'keyd-session+jwt', kid: keys.revocation.kid })}.${payload}.${signature}`,
    'a key of its own in the header': `${encoded({ alg: 'EdDSA', typ: 'keyd-session+jwt', kid: 'x', jwk: {} })}.${payload}.${signature}`,
    'a revocation of the same key': await signStatement(revocation({ accessKeyId: ID }), keys.revocation),
    'a claim more': await sign({ ...claims, services: ['s3'], admin: 'yes' }),
    'a claim less': await sign({ accessKeyId: ID, at: claims['at'], expires: claims['expires'] }),
    'an instant that is none': await sign({ ...claims, expires: 'tomorrow' }),
    'no services at all': await sign({ ...claims, services: [] }),
    'a name that ends a header': await sign({ ...claims, services: ['s3'], name: 'a\r\nx-keyd-access-key-id: AKIA' }),
    'a life before its beginning': await sign({ ...claims, expires: '2026-11-22T09:00:00.000Z' }),
    'a life longer than any': await sign({
      ...claims,
      expires: new Date(NOW + LONGEST_SESSION * 1000 + 1).toISOString(),
    }),
    'more than any token has': `${header}.${'A'.repeat(5_000)}.${signature}`,
    'blanks around': ` ${token} `,
    'two of them': `${token},${token}`,
  };
  for (const [what, text] of Object.entries(hostile)) {
    t.same(await tokens.find(ID, text), { reason: 'malformed-session-token' }, what);
  }
  await t.rejects(
    signSessionToken(SESSION, keys.beacon),
    { code: 'wrong-purpose' },
    'no other key of the feed signs one',
  );
  const longest = await sign({
    ...claims,
    services: ['s3'],
    expires: new Date(NOW + LONGEST_SESSION * 1000).toISOString(),
  });
  t.match(await tokens.find(ID, longest), { session: { name: 'alice' } }, 'the longest life is one');
});

t.test('a key that was retired vouches for no session', async (t) => {
  const { keys, token } = await setUp();
  const next = await createFeedKey('revocation');
  const both = await pinFeedKeys(publicJwks([next, keys.revocation, keys.beacon, keys.root]));
  const retired = await pinFeedKeys(publicJwks([next, keys.beacon, keys.root]));
  t.match(await verifySessionToken(token, both), { accessKeyId: ID }, 'while both are pinned');
  await t.rejects(verifySessionToken(token, retired), { code: 'unknown-key' });
});

t.test('made-up tokens put none out that was verified, and are not remembered', async (t) => {
  const { tokens, token, pinned } = await setUp({ mostHeld: 2 });
  await tokens.find(ID, token);
  for (let n = 0; n < 50; n += 1) await tokens.find(ID, `${token.slice(0, -6)}${String(n).padStart(4, '0')}aa`);
  const lookups = pinned.lookups;
  t.match(tokens.find(ID, token), { session: { name: 'alice' } });
  t.equal(pinned.lookups, lookups);
});
