import { createHmac } from 'node:crypto';
import { signSessionToken, type Session } from '@sigv4-keyd/hop-protocol';
import t from 'tap';
import { NOW } from '../edge-verifier/client.js';
import { TestFeed } from '../support/test-feed.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { checkAftermath, each, runAttacks, type Attack } from './attacks.js';
import { startFronts } from './fronts.js';
import { addParameter, changeHeader, changeParameter, changePart, withHeader } from './tampering.js';
import { isInHeader, isPresigned, type Order } from './vehicle.js';

const ID = 'ASIAONEOFTHESESSIONS';
const OTHER_ID = 'ASIAANOTHERSESSION00';
const SECRET = 'the-secret-of-a-session-in-these-tests';
const HOUR_MS = 3_600_000;

interface Tokens {
  readonly right: string;
  /** Of another session of the same access key. */
  readonly other: string;
  readonly of: (changes: Partial<Session>, feed?: TestFeed) => Promise<string>;
}

async function tokensOf(feed: TestFeed): Promise<Tokens> {
  const session = {
    accessKeyId: ID,
    parentAccessKeyId: 'AKIATHEPARENTOFTHEM0',
    createdAt: NOW - HOUR_MS,
    expiresAt: NOW + HOUR_MS,
  };
  const of: Tokens['of'] = (changes, by = feed) => signSessionToken({ ...session, ...changes }, by.keys.revocation);
  return { right: await of({}), other: await of({ accessKeyId: OTHER_ID }), of };
}

/** A JWS with another part of it, and the signature that it had. */
function withPart(token: string, at: 0 | 1, change: (content: Record<string, unknown>) => object): string {
  const parts = token.split('.');
  const content = JSON.parse(Buffer.from(parts[at] ?? '', 'base64url').toString()) as Record<string, unknown>;
  parts[at] = Buffer.from(JSON.stringify(change(content))).toString('base64url');
  return parts.join('.');
}

/** What an attacker makes of a token whose verifier takes the algorithm from the token. */
function macedWith(token: string, key: string): string {
  const [head = '', content = ''] = withPart(token, 0, (header) => ({ ...header, alg: 'HS256' })).split('.');
  return `${head}.${content}.${createHmac('sha256', key).update(`${head}.${content}`).digest('base64url')}`;
}

async function attacksWith({ right, other, of }: Tokens, feed: TestFeed): Promise<Readonly<Record<string, Attack[]>>> {
  const honest: Order = { accessKeyId: ID, secret: SECRET, sessionToken: right };
  const without: Order = { accessKeyId: ID, secret: SECRET };
  const strangers = await TestFeed.create(new VirtualClock(NOW));
  const jwk = feed.jwks;
  const badTokens: Readonly<Record<string, string>> = {
    'of no bytes': ' ',
    'that is no token': 'of-somebody',
    'without its signature': right.split('.').slice(0, 2).join('.'),
    'with an empty signature': `${right.split('.').slice(0, 2).join('.')}.`,
    'with a byte of its signature changed': right.slice(0, -4) + (right.endsWith('AAAA') ? 'BBBB' : 'AAAA'),
    'with the signature of another': [...right.split('.').slice(0, 2), other.split('.')[2]].join('.'),
    'with something behind it': `${right}.`,
    'of another access key id under the old signature': withPart(right, 1, (claims) => ({ ...claims, name: 'root' })),
    'that ends later under the old signature': withPart(right, 1, (claims) => ({
      ...claims,
      expires: '2026-11-23T00:00:00.000Z',
    })),
    'of the algorithm none': `${withPart(right, 0, (header) => ({ ...header, alg: 'none' }))
      .split('.')
      .slice(0, 2)
      .join('.')}.`,
    'of HMAC under the public key': macedWith(right, jwk),
    'of another type': withPart(right, 0, (header) => ({ ...header, typ: 'keyd-revocation+jwt' })),
    'that brings its own key': withPart(right, 0, (header) => ({ ...header, jwk: JSON.parse(jwk) as unknown })),
    'of an unknown key': withPart(right, 0, (header) => ({ ...header, kid: '../../etc/passwd' })),
    'signed by a stranger': await of({}, strangers),
    'that is too long': 'x'.repeat(9_000),
  };
  const unfit: readonly (readonly [name: string, Order, Attack['reasons']])[] = [
    ['that has expired', { sessionToken: await of({ expiresAt: NOW }) }, ['session-token-expired']],
    ['for another region', { sessionToken: await of({ regions: ['us-east-1'] }) }, ['access-key-not-for-scope']],
    ['for another service', { sessionToken: await of({ services: ['sqs'] }) }, ['access-key-not-for-scope']],
    ['of another session', { sessionToken: other }, ['session-token-mismatch']],
    ['with the secret of another', { secret: 'another' }, ['signature-mismatch']],
    ['with an access key in lower case', { accessKeyId: ID.toLowerCase() }, ['session-token-mismatch']],
  ];
  const absent: Attack[] = [
    {
      name: 'no token',
      honest,
      reasons: ['session-token-required'],
      make: (_honest, vehicle) => vehicle.sign(without),
    },
    {
      name: 'the token removed after signing',
      honest,
      reasons: ['signed-header-absent', 'session-token-required'],
      make: (message) =>
        changeParameter(
          changeHeader(message, 'x-amz-security-token', () => undefined),
          'X-Amz-Security-Token',
          () => undefined,
        ),
    },
    {
      name: 'the token added after signing',
      honest,
      reasons: ['header-not-signed', 'header-parameter-conflict', 'signature-mismatch'],
      make: async (_honest, vehicle) => {
        const message = await vehicle.sign(without);
        return isInHeader(vehicle)
          ? withHeader(message, 'x-amz-security-token', right)
          : addParameter(message, `X-Amz-Security-Token=${right}`);
      },
    },
    {
      name: 'the token in the query of a header that is signed',
      honest,
      signed: isInHeader,
      reasons: ['both-mechanisms'],
      make: async (_honest, vehicle) => addParameter(await vehicle.sign(without), `X-Amz-Security-Token=${right}`),
    },
    {
      name: 'the token of a URL in an unsigned header',
      honest,
      signed: isPresigned,
      reasons: ['header-not-signed'],
      make: async (_honest, vehicle) => withHeader(await vehicle.sign(without), 'x-amz-security-token', right),
    },
    {
      name: 'two tokens',
      honest,
      signed: isInHeader,
      reasons: ['duplicate-header'],
      make: (message) => withHeader(message, 'X-Amz-Security-Token', other),
    },
    {
      name: 'another token of the same session in place of the signed one',
      honest,
      reasons: ['signature-mismatch'],
      make: async (message) => {
        const longer = await of({ expiresAt: NOW + 2 * HOUR_MS });
        return changeParameter(
          changeHeader(message, 'x-amz-security-token', () => longer),
          'X-Amz-Security-Token',
          () => longer,
        );
      },
    },
    {
      name: 'the token of a session beside a long-lived access key',
      reasons: ['session-token-mismatch'],
      make: (_honest, vehicle) => vehicle.sign({ sessionToken: right }),
    },
    {
      name: 'the access key of another session under this token, after signing',
      honest,
      reasons: ['session-token-mismatch'],
      make: (message) => changePart(message, 'Credential', (value) => value.replace(ID, OTHER_ID)),
    },
  ];
  return {
    absent,
    forged: [
      ...each(Object.entries(badTokens), ([name, sessionToken]) => ({
        name: `a token ${name}`,
        honest,
        reasons:
          name === 'of no bytes' ? ['session-token-required', 'malformed-session-token'] : ['malformed-session-token'],
        make: (_honest, vehicle) => vehicle.sign({ ...honest, sessionToken }),
      })),
    ],
    unfit: [
      ...each(unfit, ([name, order, reasons]) => ({
        name: `a token ${name}`,
        honest,
        reasons,
        make: (_honest, vehicle) => vehicle.sign({ ...honest, ...order }),
      })),
    ],
  };
}

t.test('session tokens', async (t) => {
  const feed = await TestFeed.create(new VirtualClock(NOW));
  const tokens = await tokensOf(feed);
  const fronts = await startFronts(t, { pinned: feed.keys.pinned });
  for (const { parent } of fronts.edges) for (const id of [ID, OTHER_ID]) parent.secrets.set(id, SECRET);
  for (const token of [tokens.right, tokens.other]) fronts.output.expectToken(token);
  for (const [name, attacks] of Object.entries(await attacksWith(tokens, feed))) {
    await t.test(name, (t) => runAttacks(t, fronts, attacks));
  }
  await checkAftermath(t, fronts);
});

t.test('where temporary credentials are not taken, their access keys are not either', async (t) => {
  const feed = await TestFeed.create(new VirtualClock(NOW));
  const { right } = await tokensOf(feed);
  const fronts = await startFronts(t, {
    pinned: feed.keys.pinned,
    env: { KEYD_SESSION_TOKENS: 'no' },
    inProcess: { sessionTokens: 'refused' },
  });
  for (const { parent } of fronts.edges) parent.secrets.set(ID, SECRET);
  const orders: readonly Order[] = [
    { accessKeyId: ID, secret: SECRET, sessionToken: right },
    { accessKeyId: ID, secret: SECRET },
    { sessionToken: right },
  ];
  const attacks = each(orders, (order) => ({
    name: `signed by ${order.accessKeyId ?? 'a long-lived access key'}, ${order.sessionToken === undefined ? 'without a' : 'with its'} token`,
    reasons: ['session-token-refused'],
    make: (_honest, vehicle) => vehicle.sign(order),
  }));
  await runAttacks(t, fronts, attacks);
});
