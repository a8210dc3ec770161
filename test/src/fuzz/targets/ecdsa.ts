import {
  ecdsaPrivateKey,
  ecdsaPublicKey,
  ecdsaSignatureMatches,
  ecdsaSignatureOf,
  exportEcdsaPublicKey,
  importEcdsaPublicKey,
  isEcdsaSignature,
} from '@sigv4-keyd/sigv4-core';
import { importAttestedPublicKey, exportAttestedPublicKey } from '@sigv4-keyd/hop-protocol';
import { p256 } from '@noble/curves/nist.js';
import { hold, type Target } from '../engine/target.js';
import { derOf } from '../../sigv4a/ecdsa-clients.js';

const CORE = ['packages/sigv4-core/dist/'];
const KEY = ecdsaPublicKey(ecdsaPrivateKey('secret', 'AKID'));
const X_AND_Y = exportEcdsaPublicKey(KEY);
const MOST_INTEGER_BYTES = 33;

/** The bytes of DER, which travel in hex. */
const signature: Target = {
  name: 'ecdsa-signature',
  covers: CORE,
  seeds: [
    ...['3006020101020101', '3046022100ffff', derOf(2n ** 256n - 1n, 1n), derOf(1n, 2n ** 255n)].map(hex),
    hex(ecdsaSignatureOf(ecdsaPrivateKey('secret', 'AKID'), 'text')),
  ],
  words: ['\x30', '\x02\x01\x01', '\x02\x21\x00', '\x81', '\x00\x00'],
  mostBytes: 128,
  run(input) {
    hold(!isEcdsaSignature(input.toString('latin1')) || /^[0-9a-f]+$/.test(input.toString('latin1')), 'lower-case hex');
    const text = input.toString('hex');
    const isGood = isEcdsaSignature(text);
    hold(isGood === (integersIn(input) === text), 'DER of two positive integers, in its one form');
    const isElsewhere = !throws(() => p256.Signature.fromBytes(input, 'der'));
    hold(isGood || !isElsewhere, 'what another library reads is well formed here');
    hold(!ecdsaSignatureMatches(KEY, 'another text', text), 'nobody signed this text');
    return isGood;
  },
};

const publicKey: Target = {
  name: 'ecdsa-public-key',
  covers: CORE,
  seeds: [X_AND_Y, Buffer.alloc(64), Buffer.alloc(64, 0xff), X_AND_Y.subarray(1)],
  mostBytes: 130,
  run(input) {
    const isPoint = input.length === 64 && !throws(() => p256.Point.fromBytes(Buffer.concat([Buffer.of(4), input])));
    const isTaken = !throws(() => importEcdsaPublicKey(input), RangeError);
    hold(isTaken === isPoint, 'the points of the curve that another library takes');
    if (isTaken) hold(exportEcdsaPublicKey(importEcdsaPublicKey(input)).equals(input), 'read, and written again');
    return isTaken;
  },
};

const attestedPublicKey: Target = {
  name: 'attested-public-key',
  covers: ['packages/hop-protocol/dist/public-keys/', ...CORE],
  seeds: [Buffer.concat([X_AND_Y, Buffer.alloc(64, 1)]), X_AND_Y],
  mostBytes: 130,
  run(input) {
    if (throws(() => importAttestedPublicKey(input), RangeError)) return false;
    hold(exportAttestedPublicKey(importAttestedPublicKey(input)).equals(input), 'read, and written again');
    return true;
  },
};

export const ECDSA: readonly Target[] = [signature, publicKey, attestedPublicKey];

/** Whether it throws; with a class, nothing else may be thrown. */
export function throws(run: () => unknown, expected: abstract new (...args: never[]) => Error = Error): boolean {
  try {
    run();
    return false;
  } catch (error) {
    if (error instanceof expected) return true;
    throw error;
  }
}

/** Reads two integers as leniently as it gets, and writes them as DER. */
function integersIn(der: Buffer): string | undefined {
  const rLength = der[3] ?? 0;
  const sLength = der[5 + rLength] ?? 0;
  const [r, s] = [der.subarray(4, 4 + rLength), der.subarray(6 + rLength, 6 + rLength + sLength)];
  const isShort = [r, s].every((bytes) => bytes.length >= 1 && bytes.length <= MOST_INTEGER_BYTES);
  const [rNumber, sNumber] = [r, s].map((bytes) => BigInt(`0x0${bytes.toString('hex')}`));
  return isShort && rNumber && sNumber ? derOf(rNumber, sNumber) : undefined;
}

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}
