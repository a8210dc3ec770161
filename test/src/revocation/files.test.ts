import {
  createFeedKey,
  exportFeedKey,
  FeedError,
  FeedState,
  importFeedKey,
  KEY_PURPOSES,
  pinFeedKeys,
  publicJwk,
  publicJwks,
  signStatement,
  type FeedProblem,
} from '@sigv4-keyd/revocation';
import t from 'tap';
import { createFeedKeys, Publisher, revocation, RULE } from './publisher.js';

const NOW = Date.parse('2026-11-05T12:00:00Z');
const keys = await createFeedKeys();
const other = await createFeedKey('revocation');
const { d: secret } = exportFeedKey(keys.revocation);

/** The code, after a look at the words: a secret in them is no better than one in a log. */
async function codeOf(outcome: Promise<unknown>): Promise<FeedProblem | 'no error'> {
  try {
    await outcome;
    return 'no error';
  } catch (error) {
    if (!(error instanceof FeedError)) throw error;
    if (`${error.message} ${error.detail ?? ''} ${error.stack ?? ''}`.includes(secret))
      throw new Error('a secret is told', { cause: error });
    return error.code;
  }
}

t.test('a key file: written, read, and refused when it is not as it was written', async (t) => {
  for (const purpose of KEY_PURPOSES) {
    const key = await createFeedKey(purpose);
    const read = await importFeedKey(JSON.parse(JSON.stringify(exportFeedKey(key))));
    t.same([read.purpose, read.kid], [purpose, key.kid], `${purpose}: as it was written`);
    t.same(publicJwk(read), publicJwk(key), `${purpose}: of the same public key`);
    t.notOk('d' in publicJwk(key), `${purpose}: whose public half has no private member`);
  }
  const file = exportFeedKey(keys.revocation);
  const rows: readonly (readonly [string, unknown])[] = [
    ['no private member', publicJwk(keys.revocation)],
    ['the private member of another', { ...file, d: exportFeedKey(other).d }],
    ['the public member of another', { ...file, x: publicJwk(other).x }],
    ['the kid of another', { ...file, kid: other.kid }],
    ['a purpose that is none', { ...file, keyd_purpose: 'everything' }],
    ['no purpose', { ...file, keyd_purpose: undefined }],
    ['another curve', { ...file, crv: 'X25519' }],
    ['another algorithm', { ...file, alg: 'ES256' }],
    ['a private member cut short', { ...file, d: secret.slice(1) }],
    ['a private member with padding', { ...file, d: `${secret}=` }],
    ['the secret in a wrong place', { ...file, [secret.slice(0, 8)]: secret }],
    ['a member too many', { ...file, key_ops: ['sign'] }],
    ['null', null],
    ['the secret alone', secret],
  ];
  for (const [name, json] of rows) t.equal(await codeOf(importFeedKey(json)), 'malformed-keys', name);
  t.notMatch(JSON.stringify(keys.revocation), secret, 'a key that is logged shows nothing');
});

t.test('the file of pinned keys', async (t) => {
  const all = [keys.revocation, keys.beacon, keys.root];
  const jwks = publicJwks(all);
  const [first, second, third] = jwks.keys;
  const rows: readonly (readonly [string, unknown, FeedProblem | 'no error'])[] = [
    ['one key of each purpose', jwks, 'no error'],
    ['two of a purpose, as while keys are rotated', publicJwks([...all, other]), 'no error'],
    ['no root key', { keys: [first, second] }, 'malformed-keys'],
    ['no beacon key', { keys: [first, third] }, 'malformed-keys'],
    ['no keys', { keys: [] }, 'malformed-keys'],
    [
      'a private key among them',
      { keys: [exportFeedKey(keys.revocation), second, third] },
      'private-key-in-public-file',
    ],
    ['one key twice', { keys: [first, ...jwks.keys] }, 'malformed-keys'],
    ['one key for two purposes', { keys: [...jwks.keys, { ...first, keyd_purpose: 'root' }] }, 'malformed-keys'],
    ['a kid that is not the thumbprint', { keys: [{ ...first, kid: other.kid }, second, third] }, 'malformed-keys'],
    ['a symmetric key', { keys: [...jwks.keys, { kty: 'oct', k: 'AAAA' }] }, 'malformed-keys'],
    ['a key of another algorithm', { keys: [...jwks.keys, { ...first, alg: 'HS256' }] }, 'malformed-keys'],
    ['more than anyone pins', { keys: Array.from({ length: 101 }, () => first) }, 'malformed-keys'],
    ['a member too many', { ...jwks, more: true }, 'malformed-keys'],
    ['a single key', first, 'malformed-keys'],
    ['null', null, 'malformed-keys'],
  ];
  for (const [name, json, due] of rows) t.equal(await codeOf(pinFeedKeys(json)), due, `${name}: ${due}`);
  await t.rejects(pinFeedKeys({ keys: [first, second] }), { message: /no key for the purpose root/ });
});

interface StateFile {
  format: string;
  beacon?: string;
  named: string[];
  further: string[];
}

t.test('a state file: restored whole, and refused when it was tampered with', async (t) => {
  const publisher = new Publisher(keys);
  const state = FeedState.empty(keys.pinned, RULE);
  t.equal((await FeedState.restore(state.serialise(), keys.pinned, RULE)).beacon, 'none', 'an empty state is a state');
  await publisher.revoke({ accessKeyId: 'AKIAONE' });
  await publisher.revoke({ accessKeyId: 'AKIATWO' });
  const document = await publisher.document(NOW);
  await state.accept(document, NOW);
  const early = await publisher.revoke({ accessKeyId: 'AKIAMORE' });
  await state.accept({ beacon: document.beacon, statements: [early.jws] }, NOW);

  const text = state.serialise();
  const restored = await FeedState.restore(text, keys.pinned, RULE);
  t.equal(restored.state.serialise(), text, 'the same again');
  t.same(restored.state.document, state.document, 'and the same is passed on');
  t.equal(restored.state.revocations.size, 3);
  t.equal((await restored.state.accept(document, NOW)).beacon.outcome, 'unchanged');

  const changed = (change: (file: StateFile) => void): string => {
    const file = JSON.parse(text) as StateFile;
    change(file);
    return JSON.stringify(file);
  };
  const flipped = (jws: string): string => jws.replace(/.(?=.{20}$)/, (found) => (found === 'A' ? 'B' : 'A'));
  const foreign = await signStatement(revocation(), other);
  const rows: readonly (readonly [string, string, FeedProblem])[] = [
    ['cut in the middle', text.slice(0, text.length / 2), 'malformed-state'],
    ['empty', '', 'malformed-state'],
    ['null', 'null', 'malformed-state'],
    ['another format', changed((file) => (file.format = 'v0')), 'malformed-state'],
    ['no list', changed((file) => Reflect.deleteProperty(file, 'further')), 'malformed-state'],
    ['a member too many', changed((file) => Object.assign(file, { trusted: true })), 'malformed-state'],
    ['the beacon taken out', changed((file) => Reflect.deleteProperty(file, 'beacon')), 'malformed-state'],
    ['a bit of the beacon', changed((file) => (file.beacon = flipped(document.beacon))), 'bad-signature'],
    ['a statement as the beacon', changed((file) => (file.beacon = file.named[0]!)), 'malformed'],
    ['a named statement taken out', changed((file) => file.named.pop()), 'incomplete-set'],
    ['one moved out of the named', changed((file) => file.further.push(file.named.pop()!)), 'incomplete-set'],
    ['one moved in', changed((file) => file.named.push(file.further.pop()!)), 'incomplete-set'],
    ['a bit of a named statement', changed((file) => (file.named[1] = flipped(file.named[1]!))), 'bad-signature'],
    ['a bit of a further one', changed((file) => (file.further[0] = flipped(file.further[0]!))), 'bad-signature'],
    ['a statement of a foreign key', changed((file) => file.further.push(foreign)), 'unknown-key'],
    ['a beacon as a statement', changed((file) => file.further.push(document.beacon)), 'malformed'],
  ];
  for (const [name, tampered, due] of rows) {
    t.equal(await codeOf(FeedState.restore(tampered, keys.pinned, RULE)), due, `${name}: ${due}`);
  }
});
