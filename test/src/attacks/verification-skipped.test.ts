import { PAYLOAD_TOKENS, sha256Hex } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import { ACCESS_KEY_ID, presigned, signed, type Message } from '../edge-verifier/client.js';
import { checkAftermath, each, inTurns, runAttacks, type Attack } from './attacks.js';
import { startFronts } from './fronts.js';
import { resigned } from './resigned.js';
import {
  addParameter,
  changeHeader,
  changeParameter,
  changePart,
  dropHeader,
  headerOf,
  retarget,
  withHeader,
  type Part,
} from './tampering.js';
import { BODY, TARGET, isEcdsa, isHmac, isInHeader, isPresigned } from './vehicle.js';

const PARTS = ['Credential', 'SignedHeaders', 'Signature'] as const;

/** Neither header nor query says a word of a signature. */
function bare(message: Message): Message {
  return retarget(dropHeader(message, 'authorization'), (target) => target.split('?')[0] ?? '');
}

/** The query that a presigned request like this one has. */
function presignedQuery(): string {
  const url = presigned({ method: 'PUT', target: TARGET, payload: { kind: 'exact', sha256: sha256Hex(BODY) } });
  return url.target.slice(url.target.indexOf('?') + 1);
}

const MISSING: readonly Attack[] = [
  {
    name: 'no signature at all',
    reasons: ['missing-authentication'],
    make: bare,
  },
  {
    name: 'no signature, and the payload said to be unsigned',
    reasons: ['missing-authentication'],
    make: (honest) =>
      withHeader(dropHeader(bare(honest), 'x-amz-content-sha256'), 'x-amz-content-sha256', PAYLOAD_TOKENS.unsigned),
  },
  {
    name: 'an Authorization header of no bytes',
    reasons: ['unsupported-algorithm'],
    make: (honest) => withHeader(bare(honest), 'authorization', ''),
  },
  {
    name: 'the algorithm alone',
    signed: isInHeader,
    reasons: ['malformed-authorization'],
    make: (honest) => changeHeader(honest, 'authorization', (value) => value.split(' ')[0]),
  },
  ...each<Part>([...PARTS, 'Date'], (part) => ({
    name: `${part} left out`,
    reasons: part === 'Date' ? ['missing-date'] : ['malformed-authorization'],
    make: (honest) => changePart(honest, part, () => undefined),
  })),
  ...each<Part>([...PARTS, 'Date'], (part) => ({
    name: `${part} empty`,
    reasons: ['malformed-credential', 'malformed-signed-headers', 'malformed-signature', 'malformed-date'],
    make: (honest) => changePart(honest, part, () => ''),
  })),
  ...each(['X-Amz-Algorithm', 'X-Amz-Expires'], (name) => ({
    name: `${name} left out of a URL`,
    signed: isPresigned,
    reasons: ['unsupported-algorithm', 'malformed-expires'],
    make: (honest) => changeParameter(honest, name, () => undefined),
  })),
  {
    name: 'a URL that keeps nothing but its signature',
    signed: isPresigned,
    reasons: ['unsupported-algorithm'],
    make: (honest) => retarget(honest, (target) => target.replace(/\?.*(X-Amz-Signature=)/, '?$1')),
  },
  ...each(PARTS, (part) => ({
    name: `${part} twice, the wrong one first`,
    signed: isInHeader,
    reasons: ['malformed-authorization'],
    make: (honest) => changePart(honest, part, (value) => `${'0'.repeat(64)}, ${part}=${value}`),
  })),
  ...each(PARTS, (part) => ({
    name: `${part} twice, the right one first`,
    signed: isInHeader,
    reasons: ['malformed-authorization'],
    make: (honest) => changePart(honest, part, (value) => `${value}, ${part}=${'0'.repeat(64)}`),
  })),
  {
    name: 'a fourth part that says the request was verified',
    signed: isInHeader,
    reasons: ['malformed-authorization'],
    make: (honest) => changeHeader(honest, 'authorization', (value) => `${value}, Verified=true`),
  },
  {
    name: 'the signature in Proxy-Authorization',
    signed: isInHeader,
    reasons: ['missing-authentication'],
    make: (honest) => withHeader(bare(honest), 'proxy-authorization', headerOf(honest, 'authorization')),
  },
];

const SIGNATURES: readonly Attack[] = [
  ...each(['0', '0'.repeat(63), '0'.repeat(65), ' '.repeat(64), 'g'.repeat(64), 'null', '%00'], (value) => ({
    name: `a signature that is ${JSON.stringify(value.slice(0, 8))}, ${value.length} long`,
    reasons: ['malformed-signature'],
    make: (honest) => changePart(honest, 'Signature', () => value),
  })),
  {
    name: 'the right signature in upper case',
    reasons: ['malformed-signature'],
    make: (honest) => changePart(honest, 'Signature', (value) => value.toUpperCase()),
  },
  {
    name: 'the right signature in base64',
    reasons: ['malformed-signature'],
    make: (honest) => changePart(honest, 'Signature', (value) => Buffer.from(value, 'hex').toString('base64')),
  },
  {
    name: 'the beginning of the right signature',
    reasons: ['malformed-signature'],
    make: (honest) => changePart(honest, 'Signature', (value) => value.slice(0, 16)),
  },
  {
    name: 'the right signature and more',
    reasons: ['malformed-signature'],
    make: (honest) => changePart(honest, 'Signature', (value) => `${value}00`),
  },
  ...each([0, 31, 63], (at) => ({
    name: `a signature whose digit ${at} is wrong`,
    signed: isHmac,
    reasons: ['signature-mismatch'],
    make: (honest) =>
      changePart(honest, 'Signature', (value) => {
        const wrong = value[at] === '0' ? '1' : '0';
        return `${value.slice(0, at)}${wrong}${value.slice(at + 1)}`;
      }),
  })),
  ...each(['0', 'f'], (digit) => ({
    name: `a signature of 64 times ${digit}`,
    signed: isHmac,
    reasons: ['signature-mismatch'],
    make: (honest) => changePart(honest, 'Signature', () => digit.repeat(64)),
  })),
  {
    name: 'the SHA-256 of the body for a signature',
    signed: isHmac,
    reasons: ['signature-mismatch'],
    make: (honest) => changePart(honest, 'Signature', () => sha256Hex(honest.body)),
  },
];

const KEYS: readonly Attack[] = [
  ...each(['', ACCESS_KEY_ID, 'undefined', 'null', '[object Object]', '\0'], (secret) => ({
    name: `signed with the secret ${JSON.stringify(secret)}`,
    signed: isHmac,
    reasons: ['signature-mismatch'],
    make: (honest) => resigned(honest, secret),
  })),
  ...each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'AKIANOBODY'], (accessKeyId) => ({
    name: `signed by the access key ${accessKeyId}, which nobody has`,
    reasons: ['access-key-unknown'],
    make: (_honest, vehicle) => vehicle.sign({ accessKeyId }),
  })),
  ...each(['*', '%', 'AKIA EDGE', '..', `${ACCESS_KEY_ID}\u00a0`, 'A'.repeat(129), 'AK'], (accessKeyId) => ({
    name: `the access key id ${JSON.stringify(accessKeyId.slice(0, 24))}`,
    reasons: ['malformed-credential'],
    make: (honest) => changePart(honest, 'Credential', (value) => value.replace(ACCESS_KEY_ID, accessKeyId)),
  })),
];

const BOTH: readonly Attack[] = [
  {
    name: 'Authorization in the query and in the header at once',
    signed: isInHeader,
    reasons: ['both-mechanisms'],
    make: (honest) => addParameter(honest, presignedQuery()),
  },
  {
    name: 'a presigned URL, and a header that is signed as well',
    signed: isPresigned,
    reasons: ['both-mechanisms'],
    make: (honest) => withHeader(honest, 'authorization', headerOf(signed({ method: 'PUT' }), 'authorization')),
  },
  {
    name: 'a presigned URL, and a header of another scheme',
    signed: isPresigned,
    reasons: ['both-mechanisms'],
    make: (honest) => withHeader(honest, 'authorization', 'Bearer abc'),
  },
  ...each(['X-Amz-Signature=0', 'X-Amz-Algorithm=AWS4-HMAC-SHA256', 'x-amz-credential=', 'X-AMZ-DATE=1'], (more) => ({
    name: `${more} in the query of a header that is signed`,
    signed: isInHeader,
    reasons: ['both-mechanisms'],
    make: (honest) => resigned(addParameter(honest, more)),
  })),
  {
    name: 'the Authorization header twice, the right one first',
    signed: isInHeader,
    reasons: ['duplicate-header'],
    make: (honest) => withHeader(honest, 'Authorization', 'Bearer abc'),
  },
  {
    name: 'the Authorization header twice, the right one last',
    signed: isInHeader,
    reasons: ['duplicate-header'],
    make: (honest) => ({ ...honest, headers: [['authorization', 'Bearer abc'], ...honest.headers] }),
  },
];

const SCHEMES = [
  'aws4-hmac-sha256',
  'AWS4-HMAC-Sha256',
  'AWS4-HMAC-SHA256X',
  'AWS4-HMAC-SHA25',
  'AWS4-HMAC-SHA1',
  'AWS4-HMAC-SHA512',
  'AWS4-HMAC',
  'AWS4',
  'AWS3-HMAC-SHA256',
  'AWS4-HMAC-SHA256-PAYLOAD',
  'AWS4-ECDSA-P256-SHA512',
  'AWS4-X509-RSA-SHA256',
  'aws4-ecdsa-p256-sha256',
  'HMAC-SHA256',
  'none',
  'Bearer',
  'Basic',
  '',
  '__proto__',
];

const NAMES: readonly Attack[] = [
  ...each(SCHEMES, (scheme) => ({
    name: `the scheme ${JSON.stringify(scheme)}`,
    reasons: ['unsupported-algorithm'],
    make: (honest) => resigned(changePart(honest, 'Algorithm', () => scheme)),
  })),
  ...each(PARTS, (part) => ({
    name: `${part} in another case`,
    signed: isInHeader,
    reasons: ['malformed-authorization'],
    make: (honest) =>
      changeHeader(honest, 'authorization', (value) => value.replace(`${part}=`, `${part.toLowerCase()}=`)),
  })),
  {
    name: 'the scheme and its parts without a space between',
    signed: isInHeader,
    reasons: ['unsupported-algorithm'],
    make: (honest) => changeHeader(honest, 'authorization', (value) => value.replace(' ', '')),
  },
  {
    name: 'version 2 of the scheme',
    signed: isInHeader,
    reasons: ['unsupported-algorithm'],
    make: (honest) => withHeader(bare(honest), 'authorization', `AWS ${ACCESS_KEY_ID}:frJIUN8DYpKDtOLCwo//yllqDzg=`),
  },
  {
    name: 'version 2 of the scheme in a URL',
    reasons: ['missing-authentication'],
    make: (honest) => addParameter(bare(honest), `AWSAccessKeyId=${ACCESS_KEY_ID}&Expires=2000000000&Signature=abc%3D`),
  },
];

const OTHER_ALGORITHM: readonly Attack[] = [
  {
    name: 'a signature of HMAC that says it is of ECDSA',
    signed: isHmac,
    reasons: ['malformed-credential'],
    make: (honest) => changePart(honest, 'Algorithm', () => 'AWS4-ECDSA-P256-SHA256'),
  },
  {
    name: 'a signature of ECDSA that says it is of HMAC',
    signed: isEcdsa,
    reasons: ['malformed-credential'],
    make: (honest) => changePart(honest, 'Algorithm', () => 'AWS4-HMAC-SHA256'),
  },
  {
    name: 'a signature of ECDSA, of which nothing is zero but r and s',
    signed: isEcdsa,
    reasons: ['malformed-signature'],
    make: (honest) => changePart(honest, 'Signature', () => '3006020100020100'),
  },
  {
    name: 'a signature of ECDSA with r and s of one',
    signed: isEcdsa,
    reasons: ['signature-mismatch'],
    make: (honest) => changePart(honest, 'Signature', () => '3006020101020101'),
  },
  {
    name: 'a signature of ECDSA as r and s side by side',
    signed: isEcdsa,
    reasons: ['malformed-signature'],
    make: (honest) => changePart(honest, 'Signature', () => '00'.repeat(64)),
  },
];

const TOKENS = [
  ...Object.values(PAYLOAD_TOKENS),
  'unsigned-payload',
  'UNSIGNED-PAYLOAD,UNSIGNED-PAYLOAD',
  'STREAMING-UNSIGNED-PAYLOAD',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-',
  'streaming-aws4-hmac-sha256-payload',
  'required',
  '',
  sha256Hex(BODY).toUpperCase(),
  sha256Hex(Buffer.alloc(0)),
];

const MODES: readonly Attack[] = [
  ...each(TOKENS, (token) => ({
    name: `the payload mode ${JSON.stringify(token.slice(0, 50))} in place of the one that was signed`,
    // What stands there already is no attack.
    signed: ({ mechanism, mode }) => mechanism === 'header' && tokenOf(mode) !== token,
    reasons: [
      'malformed-payload-hash',
      'payload-mode-refused',
      'missing-decoded-length',
      'trailer-refused',
      'signature-mismatch',
      'header-not-signed',
    ],
    make: (honest) => withHeader(dropHeader(honest, 'x-amz-content-sha256'), 'x-amz-content-sha256', token),
  })),
  ...each(['streaming-signed', 'streaming-signed-trailer', 'streaming-unsigned-trailer'] as const, (mode) => ({
    name: `${mode} in a presigned URL`,
    signed: isPresigned,
    reasons: ['payload-mode-refused'],
    make: (honest) => resigned(changeParameter(honest, 'X-Amz-Content-Sha256', () => PAYLOAD_TOKENS[mode])),
  })),
  ...each(['streaming-events', 'streaming-ecdsa', 'streaming-ecdsa-trailer'] as const, (mode) => ({
    name: `${mode}, which nobody here verifies, rightly signed`,
    signed: (vehicle) => isInHeader(vehicle) && vehicle.mode !== 'body',
    reasons: ['payload-mode-refused'],
    make: (honest) => resigned(changeHeader(honest, 'x-amz-content-sha256', () => PAYLOAD_TOKENS[mode])),
  })),
];

function tokenOf(mode: string): string {
  return Object.entries(PAYLOAD_TOKENS).find(([kind]) => kind === mode)?.[1] ?? sha256Hex(BODY);
}

t.test('verification skipped', async (t) => {
  const fronts = await startFronts(t);
  const attacks = { MISSING, SIGNATURES, KEYS, BOTH, NAMES, OTHER_ALGORITHM, MODES };
  for (const [name, group] of Object.entries(attacks)) {
    await t.test(name.toLowerCase().replace('_', ' '), (t) => runAttacks(t, fronts, inTurns(group)));
  }
  await checkAftermath(t, fronts);
});
