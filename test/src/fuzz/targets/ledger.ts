import {
  decodeIssuanceRecord,
  encodeIssuanceRecord,
  formatCheckpoint,
  LedgerError,
  noteSigner,
  openNote,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  signCheckpoint,
} from '@sigv4-keyd/ledger';
import { hold, type Target } from '../engine/target.js';
import { throws } from './ecdsa.js';

const COVERS = ['packages/ledger/dist/record/', 'packages/ledger/dist/checkpoint/'];
const SIGNER = noteSigner('keys.example/issuance', Buffer.alloc(32, 1));
const VERIFIER = parseVerifierKey(SIGNER.verifierKey);
const RECORD = {
  ...{ accessKeyIds: ['AK1', 'AK2'], at: '2026-11-22T10:00:00.000Z', date: '20261122', from: 'spiffe://a/master/m1' },
  ...{ id: 'one', region: 'eu-west-1', requestId: 'two', rung: 'kRegion', to: 'spiffe://a/region/eu-west-1/r1', v: 1 },
};
const CHECKPOINT = { origin: SIGNER.name, size: 3, root: Buffer.alloc(32, 2), extensions: [] };

const record: Target = {
  name: 'issuance-record',
  covers: COVERS,
  seeds: [
    JSON.stringify(RECORD),
    JSON.stringify({ ...RECORD, rung: 'publicKey' }),
    JSON.stringify({ ...RECORD, rung: 'kService' }).replace('"to"', '"service":"s3","to"'),
  ],
  words: ['"AK3"', '"kService"', '"service":"s3",', '"publicKey"', 'null', '[]', '{}', '\\u0041', '1.0', ' '],
  run(input) {
    const text = input.toString('utf8');
    if (throws(() => decodeIssuanceRecord(text), LedgerError)) return false;
    hold(encodeIssuanceRecord(decodeIssuanceRecord(text)) === text, 'one spelling');
    return true;
  },
};

/** The text of a checkpoint; the harness signs it. */
const checkpoint: Target = {
  name: 'checkpoint',
  covers: COVERS,
  seeds: [formatCheckpoint(parseCheckpoint(textOf(3))), 'a\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nmore\n'],
  words: ['\n', '\n\n', '0', '9007199254740992', '=', '\u00e2\u0080\u0094 '],
  run(input) {
    const text = input.toString('utf8');
    if (throws(() => parseCheckpoint(text), LedgerError)) return false;
    const read = parseCheckpoint(text);
    if (throws(() => signCheckpoint(read, [SIGNER]), LedgerError)) return false;
    hold(formatCheckpoint(read) === text, 'one spelling');
    hold(openNote(signCheckpoint(read, [SIGNER]), [VERIFIER]).text === text, 'what is signed is opened');
    return true;
  },
};

/** A whole note, signatures and all. */
const note: Target = {
  name: 'signed-note',
  covers: COVERS,
  seeds: [signCheckpoint(parseCheckpoint(textOf(3)), [SIGNER]), 'text\n\n\u00e2\u0080\u0094 name AAAAAAE=\n'].map(
    (text) => Buffer.from(text, 'utf8'),
  ),
  words: ['\u00e2\u0080\u0094 ', '\n\n', '\n', ' ', 'AAAAAAE=', SIGNER.name],
  run(input) {
    if (throws(() => parseNote(input), LedgerError)) return false;
    const { text, signatures } = parseNote(input);
    const written = `${text}\n${signatures.map(({ name, base64 }) => `\u2014 ${name} ${base64}\n`).join('')}`;
    hold(Buffer.from(written, 'utf8').equals(input), 'one spelling');
    if (throws(() => openNote(input, [VERIFIER]), LedgerError)) return true;
    hold(text === textOf(3), 'nobody but the signer signs');
    return true;
  },
};

const verifierKey: Target = {
  name: 'note-key',
  covers: COVERS,
  seeds: [SIGNER.verifierKey, `PRIVATE+KEY+${SIGNER.verifierKey}`, 'a+00000000+AQ=='],
  words: ['+', '==', 'AQ', '00000000'],
  run(input) {
    const text = input.toString('utf8');
    if (throws(() => parseVerifierKey(text), LedgerError)) return false;
    hold(parseVerifierKey(text).verifierKey === text, 'one spelling');
    return true;
  },
};

export const LEDGER: readonly Target[] = [record, checkpoint, note, verifierKey];

function textOf(size: number): string {
  return `${CHECKPOINT.origin}\n${size}\n${CHECKPOINT.root.toString('base64')}\n`;
}
