import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { signSessionToken, verifySessionToken } from '@sigv4-keyd/hop-protocol';
import {
  DOCUMENT_KINDS,
  FEED_PROBLEMS,
  FeedError,
  FeedState,
  importFeedKey,
  isPage,
  KEY_PURPOSES,
  nameSet,
  parseFeedDocument,
  pinFeedKeys,
  publicJwks,
  readChange,
  signAccessKeyPage,
  signBeacon,
  signStatement,
  verifyBeacon,
  verifyFact,
  verifyStatement,
  writeChange,
  type DocumentKind,
  type FeedKey,
  type KeyPurpose,
} from '@sigv4-keyd/revocation';
import { hold, type Target } from '../engine/target.js';
import { RULE } from '../../revocation/publisher.js';
import { parsed } from './day-streams.js';

const COVERS = ['packages/revocation/dist/'];
const NOW = Date.UTC(2026, 10, 22, 12);
const AT = '2026-11-22T12:00:00.000Z';
const DIGEST = 'ab'.repeat(32);
const KEYS = {
  revocation: await fixedKey('revocation', 1),
  beacon: await fixedKey('beacon', 2),
  root: await fixedKey('root', 3),
} as const satisfies Record<KeyPurpose, FeedKey>;
const JWKS = publicJwks(Object.values(KEYS));
const PINNED = await pinFeedKeys(JWKS);

const STATEMENT = {
  ...{ id: '6f1d9b1e-3c1c-4b9e-9d0a-0f2f4f8a1b2c', to: '20261122', at: AT },
  ...{ incident: 'INC-7', reason: 'found in the logs', author: 'spiffe://keyd.example/operator/ann' },
};
const REVOCATION = { ...STATEMENT, kind: 'revocation', from: '20261101' };
const SCOPED = { ...REVOCATION, accessKeyId: 'AKID', region: 'eu-west-1', service: 's3', issuedBefore: 1_000 };
const LIFT = { ...STATEMENT, kind: 'lift', lifts: DIGEST };
const CHANGES = ['AK1 1 disabled 1', 'AK2 3 enabled 2 expires=5000 regions=eu-west-1,us-east-1 services=s3'];
const PAGE = { kind: 'access-keys', to: '20261123', changes: CHANGES, at: AT };
const BEACON = {
  version: 7,
  count: 0,
  setHash: DIGEST,
  banned: ['spiffe://a/b', 'spiffe://a/c'],
  at: AT,
  expires: '2026-11-23T12:00:00.000Z',
};
const SESSION = {
  ...{ accessKeyId: 'ASIAONE', parentAccessKeyId: 'AKID', name: 'alice', regions: ['eu-west-1'], services: ['s3'] },
  ...{ at: AT, expires: '2026-11-22T13:00:00.000Z' },
};
const WORDS = [
  '","',
  '":"',
  '"kind":"revocation"',
  '"region":',
  '"accessKeyId":"AKID"',
  '20261122',
  AT,
  '[]',
  'null',
  '1e3',
  '\\u0000',
];

/** The content of a document, which the harness signs: whoever holds the key may still write nonsense. */
function contentOf(kind: DocumentKind, seeds: readonly object[], resigned: (jws: string) => Promise<string>): Target {
  return {
    name: `feed-${kind}`,
    covers: COVERS,
    seeds: seeds.map((seed) => JSON.stringify(seed, Object.keys(seed).sort())),
    words: [...WORDS, ...CHANGES],
    run: (input) => {
      const jws = signedRaw(kind, input);
      return isTaken(async () => {
        hold((await resigned(jws)) === jws, 'what was read is written, and signs to the same bytes');
      });
    },
  };
}

/** A document as it travels. */
const compactJws: Target = {
  name: 'feed-jws',
  covers: COVERS,
  seeds: [
    signedRaw('revocation', canonical(SCOPED)),
    signedRaw('lift', canonical(LIFT)),
    signedRaw('beacon', canonical(BEACON)),
  ],
  words: [
    '.',
    '..',
    '=',
    Buffer.from('{"alg":"none"}').toString('base64url'),
    Buffer.from('"crit"').toString('base64url'),
  ],
  mostBytes: 2048,
  run: (input) =>
    isTaken(async () => {
      const text = input.toString('latin1');
      const all = [verifyFact(text, PINNED), verifyBeacon(text, PINNED), verifySessionToken(text, PINNED)];
      const read = (await Promise.allSettled(all)).filter(
        (one) => one.status === 'fulfilled' || !(one.reason instanceof FeedError),
      );
      for (const one of read) if (one.status === 'rejected') throw one.reason;
      hold(read.length <= 1, 'a document is of one kind');
      if (read.length === 0) throw new FeedError('malformed');
    }),
};

/** What a source answers. Nobody has to trust it. */
const feedDocument: Target = {
  name: 'feed-document',
  covers: COVERS,
  seeds: [
    documentOf([signedRaw('revocation', canonical(SCOPED)), signedRaw('access-keys', canonical(PAGE))]),
    documentOf([]),
  ],
  words: ['"statements":', '"beacon":', '[]', 'null', '{', '}', '"",'],
  mostBytes: 4096,
  run: (input) =>
    isTaken(async () => {
      const state = FeedState.empty(PINNED, RULE);
      const document = parseFeedDocument(parsed(input.toString('utf8')));
      const { beacon } = await state.accept(document, NOW);
      const restored = await FeedState.restore(state.serialise(), PINNED, RULE);
      hold(restored.state.serialise() === state.serialise(), 'what is believed is written and read again');
      if (beacon.outcome === 'refused') throw new FeedError(beacon.code);
      hold(state.document?.beacon === document.beacon, 'the beacon is passed on as it came');
    }),
};

const stateFile: Target = {
  name: 'feed-state',
  covers: COVERS,
  seeds: [await stateOf([signedRaw('revocation', canonical(SCOPED))]), FeedState.empty(PINNED, RULE).serialise()],
  words: ['"named":', '"further":', '"beacon":', '[]', 'sigv4-keyd feed state v1'],
  mostBytes: 4096,
  run: (input) =>
    isTaken(async () => {
      const { state } = await FeedState.restore(input.toString('utf8'), PINNED, RULE);
      const again = await FeedState.restore(state.serialise(), PINNED, RULE);
      hold(again.state.serialise() === state.serialise(), 'what was read is written and read again');
    }),
};

const pinnedKeys: Target = {
  name: 'feed-keys',
  covers: COVERS,
  seeds: [JSON.stringify(JWKS), JSON.stringify({ keys: [...JWKS.keys, { ...JWKS.keys[0], d: 'x' }] })],
  words: ['"keyd_purpose":"root"', '"kty":"OKP"', '"crv"', '"d":', '"x":', '{}', '[]', 'null'],
  mostBytes: 2048,
  run: (input) =>
    isTaken(async () => {
      const pinned = await pinFeedKeys(parsed(input.toString('utf8')));
      hold(
        KEY_PURPOSES.every((purpose) => [...pinned.values()].some((key) => key.purpose === purpose)),
        'every purpose',
      );
      hold(
        [...pinned.values()].every(({ publicKey }) => publicKey.type === 'public'),
        'public keys, and nothing else',
      );
    }),
};

const change: Target = {
  name: 'access-key-change',
  covers: COVERS,
  seeds: [...CHANGES, 'AK1 01 enabled 1', 'AK1 1 enabled 1 services=s3 regions=a', 'AK1 1 enabled 1 regions=b,a'],
  words: [' expires=', ' regions=', ' services=', 'enabled', 'disabled', 'deleted', 'eu-west-1', '9007199254740992'],
  run(input) {
    const text = input.toString('latin1');
    const read = readChange(text);
    if (read === undefined) return false;
    hold(writeChange(read) === text, 'one spelling');
    hold(Number.isSafeInteger(read.change) && Number.isSafeInteger(read.secretVersion), 'numbers that are exact');
    return true;
  },
};

export const FEED: readonly Target[] = [
  contentOf('revocation', [REVOCATION, SCOPED], async (jws) =>
    signStatement((await verifyStatement(jws, PINNED)).statement, KEYS.revocation),
  ),
  contentOf('lift', [LIFT], async (jws) => signStatement((await verifyStatement(jws, PINNED)).statement, KEYS.root)),
  contentOf('access-keys', [PAGE, { ...PAGE, changes: [] }], async (jws) => {
    const fact = await verifyFact(jws, PINNED);
    hold(isPage(fact), 'a page');
    return signAccessKeyPage(fact.page, KEYS.revocation);
  }),
  contentOf('beacon', [BEACON, { ...BEACON, banned: [] }], async (jws) =>
    signBeacon((await verifyBeacon(jws, PINNED)).beacon, KEYS.beacon),
  ),
  contentOf('session', [SESSION, { ...SESSION, expires: AT }], async (jws) =>
    signSessionToken(await verifySessionToken(jws, PINNED), KEYS.revocation),
  ),
  ...[compactJws, feedDocument, stateFile, pinnedKeys, change],
];

/** Whether it ends well; it may end with an error of the closed set, and with no other. */
async function isTaken(read: () => Promise<void>): Promise<boolean> {
  try {
    await read();
    return true;
  } catch (error) {
    if (!(error instanceof FeedError)) throw error;
    hold(Object.hasOwn(FEED_PROBLEMS, error.code), `an unknown problem: ${error.code}`);
    return false;
  }
}

/** The same key in every run: signatures of Ed25519 are the same then too. */
async function fixedKey(purpose: KeyPurpose, byte: number): Promise<FeedKey> {
  const seed = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, byte)]);
  const privateKey = createPrivateKey({ key: seed, format: 'der', type: 'pkcs8' });
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  // RFC 7638, 3.
  const thumbprint = createHash('sha256').update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }));
  const kid = thumbprint.digest('base64url');
  const members = { kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', keyd_purpose: purpose };
  return importFeedKey({ ...members, kid, x, d: Buffer.alloc(32, byte).toString('base64url') });
}

function signedRaw(kind: DocumentKind, content: string | Uint8Array): string {
  const { typ, purpose } = DOCUMENT_KINDS[kind];
  const { kid, privateKey } = KEYS[purpose];
  const header = Buffer.from(JSON.stringify({ alg: 'EdDSA', typ, kid })).toString('base64url');
  const signed = `${header}.${Buffer.from(content).toString('base64url')}`;
  return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
}

function canonical(content: object): string {
  return JSON.stringify(content, Object.keys(content).sort());
}

function documentOf(statements: readonly string[]): string {
  const beacon = signedRaw('beacon', canonical({ ...BEACON, ...nameSet(statements) }));
  return JSON.stringify({ beacon, statements });
}

async function stateOf(statements: readonly string[]): Promise<string> {
  const state = FeedState.empty(PINNED, RULE);
  await state.accept(parseFeedDocument(parsed(documentOf(statements))), NOW);
  return state.serialise();
}
