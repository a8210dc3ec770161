import { signSessionToken, type AccessKeyStatus, type Session } from '@sigv4-keyd/hop-protocol';
import t, { type Test } from 'tap';
import { HOST, NOW, presigned, send, signed, type Draft, type Message, type Reply } from '../edge-verifier/client.js';
import { startEdge, type EdgeUnderTest } from '../edge-verifier/edge-under-test.js';
import { day } from '../support/days.js';
import { followFeed } from '../support/followed-feed.js';
import type { TestFeed } from '../support/test-feed.js';

const ID = 'ASIAONEOFTHESESSIONS';
const PARENT = 'AKIATHEPARENTOFTHEM0';
const SECRET = 'the-secret-of-a-session-in-these-tests';
const HOUR_MS = 3_600_000;

interface Site {
  readonly edge: EdgeUnderTest;
  readonly feed: TestFeed;
  readonly token: string;
  readonly tokenOf: (changes: Partial<Session>) => Promise<string>;
  /** With the session's credentials. */
  readonly draft: (more?: Draft) => Draft;
}

/** An edge that follows a feed, and a session of an access key. */
async function startSite(t: Test, env: Readonly<Record<string, string>> = {}): Promise<Site> {
  const { feed, guard } = await followFeed(t, NOW);
  const edge = await startEdge(t, { env, guard, pinned: feed.keys.pinned });
  edge.parent.secrets.set(ID, SECRET);
  const tokenOf = (changes: Partial<Session>): Promise<string> =>
    signSessionToken(
      {
        accessKeyId: ID,
        parentAccessKeyId: PARENT,
        name: 'alice',
        createdAt: NOW - HOUR_MS,
        expiresAt: NOW + HOUR_MS,
        ...changes,
      },
      feed.keys.revocation,
    );
  const token = await tokenOf({});
  const draft = (more: Draft = {}): Draft => ({ accessKeyId: ID, secret: SECRET, sessionToken: token, ...more });
  return { edge, feed, token, tokenOf, draft };
}

const reasonOf = ({ status, headers }: Reply): string => (status === 200 ? 'served' : String(headers['x-keyd-reason']));

/** The verdict of every front that can be asked about it. */
async function verdicts({ proxy, forwardAuth }: EdgeUnderTest, message: Message): Promise<readonly string[]> {
  const question: Message = {
    method: 'GET',
    target: '/',
    body: Buffer.alloc(0),
    headers: [
      ...message.headers,
      ['x-original-method', message.method],
      ['x-original-uri', message.target],
      ['x-original-host', HOST],
    ],
  };
  const asked = await send(forwardAuth, question);
  return [
    reasonOf(await send(proxy, message)),
    asked.status === 204 ? 'served' : String(asked.headers['x-keyd-reason']),
  ];
}

const changed = (status: AccessKeyStatus, accessKeyId: string) => ({ accessKeyId, status, secretVersion: 1 });
const both = (verdict: string): readonly string[] => [verdict, verdict];

t.test('temporary credentials are taken in the header and in the query, with their token alone', async (t) => {
  const { edge, draft, token, tokenOf } = await startSite(t);
  t.same(await verdicts(edge, signed(draft())), both('served'));
  t.same(await verdicts(edge, presigned(draft({ target: '/bucket/key' }))), both('served'));

  const without: Draft = { accessKeyId: ID, secret: SECRET };
  const added: Draft = { ...without, unsigned: [['x-amz-security-token', token]] };
  t.same(await verdicts(edge, signed(without)), both('session-token-required'));
  t.same(await verdicts(edge, presigned(without)), both('session-token-required'));
  t.same(await verdicts(edge, signed(added)), both('header-not-signed'), 'one that was added after signing');
  t.same(await verdicts(edge, presigned(added)), both('header-not-signed'));
  const inQuery = presigned(without);
  const appended = { ...inQuery, target: `${inQuery.target}&X-Amz-Security-Token=${token}` };
  t.same(await verdicts(edge, appended), both('signature-mismatch'));

  const refused: readonly (readonly [reason: string, draft: Draft])[] = [
    ['session-token-mismatch', { sessionToken: token }],
    ['session-token-mismatch', draft({ sessionToken: await tokenOf({ accessKeyId: 'ASIASOMEBODYELSES' }) })],
    ['session-token-expired', draft({ sessionToken: await tokenOf({ expiresAt: NOW - 1 }) })],
    ['malformed-session-token', draft({ sessionToken: `${token.slice(0, -4)}AAAA` })],
    ['malformed-session-token', draft({ sessionToken: 'x'.repeat(9_000) })],
    ['access-key-not-for-scope', draft({ sessionToken: await tokenOf({ regions: ['us-east-1'] }) })],
    ['signature-mismatch', draft({ secret: 'the token alone is worth nothing' })],
  ];
  for (const [reason, each] of refused) {
    t.same(await verdicts(edge, signed(each)), both(reason), reason);
    t.same(await verdicts(edge, presigned(each)), both(reason), `${reason}, presigned`);
  }
  const told = edge.log.join('\n');
  t.notOk(told.includes(token) || told.includes(token.split('.')[2] ?? ''), 'no log line has a token in it');
});

t.test('the upstream is told whose session it is, by us alone, and gets no token', async (t) => {
  const { edge, draft, tokenOf } = await startSite(t);
  const forged = [
    ['x-keyd-session-name', 'root'],
    ['X_Keyd_Parent_Access_Key_Id', 'AKIAROOT'],
  ] as const;
  await send(edge.proxy, signed(draft({ unsigned: forged })));
  const told = (name: string): readonly string[] => edge.upstream.lastHeader(name);
  t.same(told('x-keyd-access-key-id'), [ID]);
  t.same(told('x-keyd-parent-access-key-id'), [PARENT]);
  t.same(told('x-keyd-session-name'), ['alice']);
  t.same([...told('x_keyd_parent_access_key_id'), ...told('x-amz-security-token')], []);
  await send(edge.proxy, signed(draft({ sessionToken: await tokenOf({ name: 'bob' }) })));
  t.same(told('x-keyd-session-name'), ['bob']);
  await send(edge.proxy, signed({ unsigned: forged }));
  t.same([...told('x-keyd-session-name'), ...told('x-keyd-parent-access-key-id')], [], 'of a long-lived one, nothing');
  const line = edge.log.find((text) => text.includes('request-accepted')) ?? '';
  t.match(JSON.parse(line), { accessKeyId: ID, parentAccessKeyId: PARENT, sessionName: 'alice' });
});

t.test('nobody above is asked about a temporary access key that no master vouches for', async (t) => {
  const { edge, draft, token } = await startSite(t);
  for (let n = 0; n < 20; n += 1) {
    await send(edge.proxy, signed(draft({ accessKeyId: `ASIAMADEUP${n}` })));
    await send(
      edge.proxy,
      signed(draft({ accessKeyId: `ASIAMADEUP${n}`, sessionToken: `${token.slice(0, -6)}${100000 + n}` })),
    );
  }
  t.equal(edge.parent.idsAskedFor, 0);
  await send(edge.proxy, signed(draft()));
  t.equal(edge.parent.idsAskedFor, 1);
});

t.test('what is done to the access key is done to its sessions', async (t) => {
  const { edge, feed, draft, tokenOf } = await startSite(t);
  const verdict = async (more: Draft = {}): Promise<readonly string[]> =>
    verdicts(edge, signed(draft({ now: edge.clock.now(), ...more })));
  t.same(await verdict(), both('served'));

  await feed.change(changed('disabled', PARENT));
  t.same(await verdict(), both('access-key-disabled'));
  await feed.change({ ...changed('enabled', PARENT), secretVersion: 7 });
  t.same(await verdict(), both('served'), 'enabled again, with another secret: the session never had the old one');
  await feed.change({ ...changed('enabled', PARENT), regions: ['us-east-1'] });
  t.same(await verdict(), both('access-key-not-for-scope'));
  await feed.change({ ...changed('enabled', PARENT), services: ['sqs'] });
  t.same(await verdict(), both('access-key-not-for-scope'));
  await feed.change({ ...changed('enabled', PARENT), expiresAt: edge.clock.now() - 1 });
  t.same(await verdict(), both('access-key-expired'));
  await feed.change(changed('enabled', PARENT));
  t.same(await verdict(), both('served'));
  await feed.change(changed('disabled', ID));
  t.same(await verdict(), both('access-key-disabled'), 'and what is done to the session itself');
  await feed.change(changed('enabled', ID));

  const days = { from: day('20261122'), to: day('20261122') };
  await feed.revoke({ accessKeyId: PARENT, ...days, issuedBefore: NOW });
  t.same(await verdict(), both('scope-revoked'));
  const later = await tokenOf({ createdAt: NOW });
  edge.parent.facts.set(ID, { createdAt: 0 });
  t.same(
    await verdict({ sessionToken: later }),
    both('served'),
    'one that was made since is spared, as its token says',
  );
  await feed.change(changed('deleted', PARENT));
  t.same(await verdict({ sessionToken: later }), both('access-key-unknown'));
});

t.test('where sessions are not accepted, a temporary access key does not pass for a long-lived one', async (t) => {
  const { edge, draft, token } = await startSite(t, { KEYD_SESSION_TOKENS: 'no' });
  t.same(await verdicts(edge, signed(draft())), both('session-token-refused'));
  t.same(await verdicts(edge, signed({ accessKeyId: ID, secret: SECRET })), both('session-token-refused'));
  t.same(await verdicts(edge, signed({ sessionToken: token })), both('session-token-refused'));
  t.same(await verdicts(edge, signed()), both('served'));
});

t.test('SigV4A signs with temporary credentials, too', async (t) => {
  const { edge, draft } = await startSite(t, { KEYD_ALGORITHMS: 'AWS4-HMAC-SHA256,AWS4-ECDSA-P256-SHA256' });
  const regionSet = ['eu-west-1', 'us-east-1'];
  t.same(await verdicts(edge, signed(draft({ regionSet }))), both('served'));
  t.same(await verdicts(edge, presigned(draft({ regionSet }))), both('served'));
  t.same(await verdicts(edge, signed({ accessKeyId: ID, secret: SECRET, regionSet })), both('session-token-required'));
});

t.test('AWS clients read what is wrong with a session', async (t) => {
  const { edge, draft, tokenOf } = await startSite(t);
  const expired = await send(edge.proxy, signed(draft({ sessionToken: await tokenOf({ expiresAt: NOW - 1 }) })));
  t.match(expired, { status: 400, body: /<Code>ExpiredToken<\/Code>/ });
  const broken = await send(edge.proxy, signed(draft({ sessionToken: 'broken' })));
  t.match(broken, { status: 400, body: /<Code>InvalidToken<\/Code>/ });
  const missing = await send(edge.proxy, signed({ accessKeyId: ID, secret: SECRET }));
  t.match(missing, { status: 403, body: /<Code>InvalidAccessKeyId<\/Code>/ });
});
