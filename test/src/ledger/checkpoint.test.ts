import {
  CheckpointMemory,
  emptyRoot,
  formatCheckpoint,
  formatMerkleHash,
  formatSignerKey,
  MerkleFrontier,
  noteSigner,
  openCheckpoint,
  openNote,
  parseCheckpoint,
  parseSignerKey,
  parseVerifierKey,
  proveConsistency,
  signCheckpoint,
  signNote,
  subtreesFromLeaves,
  type Checkpoint,
  type LogIdentity,
  type MerkleHash,
  type OpenedCheckpoint,
} from '@sigv4-keyd/ledger';
import fc from 'fast-check';
import t from 'tap';
import { naiveRoot, someLeafHashes } from './naive-tree.js';
import { refusalOf } from './refusal.js';

// The example of golang.org/x/mod/sumdb/note, whose signer key is published with it.
const PETER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const PETER_SIGNER = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const ENOCH = 'EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop';
const TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const PETER_LINE =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const ENOCH_LINE =
  '— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n';
const peter = parseVerifierKey(PETER);
const enoch = parseVerifierKey(ENOCH);

// Checkpoints that the public log of Go modules signed in 2023, one of them cosigned by a witness.
const GO_LOG: LogIdentity = {
  origin: 'go.sum database tree',
  verifiers: [parseVerifierKey('sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8')],
};
const GO_CHECKPOINT = `go.sum database tree
6476701
mb8QLQIs0Z0yP5Cstq6guj87oXWeC9gEM8oVikmm9Wk=

— sum.golang.org Az3grsLX85Gz+s1SiTbgkuqxgItqFq7gsMUEyVnrsa9LM7Us9S+1xbFIGu95949rj4nPRYfvimWEPWL+o3GeoWwOoAw=
`;
const GO_COSIGNED = `go.sum database tree
15067302
gJyioq6dwR9n+NjEWORfYmH+ubeYm3kH42BBQ0bTpYI=

— sum.golang.org Az3grp1rvWOs5NKlr/xR4GLN/CDyzzakmt1o61uSxYKpK1SerqOP2ClbX/peKUZjYnyomH5Xz7GZG3TpB7OeKn4E2ww=
— test.example.com qTGhC/xIPQ0AXKHK6Y+9ypRfuvMZWPjRXM8NiOg5M1WREn07VQXyuIXM3NRNav3ieVFLUqDRK77PWDmL6w8w84UqeAw=
`;

const ORIGIN = 'keys.example/issuance';
const seed = Buffer.alloc(32, 7);
const signer = noteSigner(ORIGIN, seed);
const log: LogIdentity = { origin: ORIGIN, verifiers: [parseVerifierKey(signer.verifierKey)] };
const leaves = someLeafHashes(60);
const source = subtreesFromLeaves(({ start, end }) => Promise.resolve(leaves.slice(start, end)));

t.test('notes of the Go implementation, by byte', (t) => {
  t.equal(signNote(TEXT, [parseSignerKey(PETER_SIGNER)]), `${TEXT}\n${PETER_LINE}`, 'signed the same');
  const both = `${TEXT}\n${PETER_LINE}${ENOCH_LINE}`;
  const one = openNote(both, [peter]);
  t.equal(one.text, TEXT);
  t.same(
    one.verified.map(({ name }) => name),
    ['PeterNeumann'],
  );
  t.same(
    one.unknown.map(({ name, keyId }) => [name, keyId]),
    [['EnochRoot', 0xaf0cfe78]],
    'unknown ones are kept',
  );
  t.same(openNote(Buffer.from(both), [peter, enoch]).verified.length, 2);
  t.equal(
    refusalOf(() => openNote(both, [])),
    'no-known-signature',
  );
  t.equal(
    signNote(TEXT, [parseSignerKey(PETER_SIGNER)], openNote(both, [enoch]).verified),
    `${TEXT}\n${ENOCH_LINE}${PETER_LINE}`,
  );
  const replaced = signNote(TEXT, [parseSignerKey(PETER_SIGNER)], openNote(both, [peter, enoch]).verified);
  t.equal(replaced, `${TEXT}\n${ENOCH_LINE}${PETER_LINE}`, 'its own earlier signature is replaced');
  t.equal(parseSignerKey(PETER_SIGNER).verifierKey, PETER);
  t.end();
});

t.test('checkpoints of a public log', (t) => {
  const opened = openCheckpoint(GO_CHECKPOINT, GO_LOG);
  t.match(opened, { origin: 'go.sum database tree', size: 6_476_701, extensions: [], note: GO_CHECKPOINT });
  t.equal(formatMerkleHash(opened.root), 'mb8QLQIs0Z0yP5Cstq6guj87oXWeC9gEM8oVikmm9Wk=');
  t.equal(openCheckpoint(GO_COSIGNED, GO_LOG).size, 15_067_302);
  t.equal(
    refusalOf(() => openCheckpoint(GO_CHECKPOINT, { ...GO_LOG, origin: 'other' })),
    'wrong-origin',
  );
  t.equal(
    refusalOf(() => openCheckpoint(GO_CHECKPOINT, log)),
    'no-known-signature',
  );
  t.end();
});

t.test('malformed and forged notes', (t) => {
  const good = `${TEXT}\n${PETER_LINE}`;
  const many = (lines: number): string => `${TEXT}\n${ENOCH_LINE.repeat(lines)}${PETER_LINE}`;
  const table: readonly (readonly [string, string, string | Uint8Array])[] = [
    ['as it should be', 'accepted', good],
    ['the same signature twice', 'accepted', good + PETER_LINE],
    ['100 signatures', 'accepted', many(99)],
    ['101 signatures', 'malformed-note', many(100)],
    ['empty', 'malformed-note', ''],
    ['text alone', 'malformed-note', TEXT],
    ['no signature', 'malformed-note', `${TEXT}\n`],
    ['no last line break', 'malformed-note', good.slice(0, -1)],
    ['no empty line', 'malformed-note', TEXT + PETER_LINE],
    ['control character', 'malformed-note', `\u0001${good}`],
    ['tab', 'malformed-note', good.replace('you ', 'you\t')],
    ['carriage return', 'malformed-note', good.replaceAll('\n', '\r\n')],
    ['not UTF-8', 'malformed-note', Buffer.concat([Buffer.of(0xff), Buffer.from(good)])],
    ['a line after the signatures', 'malformed-note', `${good}Unexpected line.\n`],
    ['hyphen for the dash', 'malformed-note', good.replace('—', '-')],
    ['space in the name', 'malformed-note', good.replace('PeterNeumann', 'Peter Neumann')],
    ['no-break space in the name', 'malformed-note', good.replace('PeterNeumann', 'Peter\u00a0Neumann')],
    ['plus in the name', 'malformed-note', good.replace('PeterNeumann', 'Peter+Neumann')],
    ['no name', 'malformed-note', good.replace('PeterNeumann ', '')],
    ['two spaces', 'malformed-note', good.replace('PeterNeumann ', 'PeterNeumann  ')],
    ['base64 without padding', 'malformed-note', good.replace('JnAM=', 'JnAM')],
    ['base64 with spare bits', 'malformed-note', good.replace('JnAM=', 'JnAN=')],
    ['base64 for URLs', 'malformed-note', good.replace('x08go/', 'x08go_')],
    ['key id alone', 'malformed-note', `${TEXT}\n— PeterNeumann x08gow==\n`],
    ['malformed signature by an unknown key', 'malformed-note', `${good}— Someone !!!\n`],
    ['larger than 1 MiB', 'malformed-note', `${'x'.repeat(1_048_577)}\n\n${PETER_LINE}`],
    ['other text', 'wrong-signature', good.replace('you', 'You')],
    ['signature too short', 'wrong-signature', `${TEXT}\n— PeterNeumann x08goxA=\n`],
    ['second signature of the key is wrong', 'wrong-signature', good + PETER_LINE.replace('AQxVB', 'AQxVC')],
    ['other key id', 'no-known-signature', good.replace('x08go', 'x08gp')],
    ['other name', 'no-known-signature', good.replace('PeterNeumann', 'CarmenSandiego')],
    [
      'signature of another key under this name',
      'no-known-signature',
      `${TEXT}\n${ENOCH_LINE.replace('EnochRoot', 'PeterNeumann')}`,
    ],
  ];
  for (const [what, code, note] of table)
    t.equal(
      refusalOf(() => openNote(note, [peter])),
      code,
      what,
    );
  t.equal(
    refusalOf(() => openNote(good, [peter, peter])),
    'ambiguous-key',
  );
  t.equal(
    refusalOf(() => openNote(good, [enoch, peter, enoch])),
    'accepted',
    'an unused one does no harm',
  );
  for (const text of ['', 'no line break', 'tab\t\n', '\ud800\n']) {
    t.equal(
      refusalOf(() => signNote(text, [signer])),
      'malformed-note',
      `signing ${JSON.stringify(text)}`,
    );
  }
  t.equal(
    refusalOf(() => signNote(TEXT, [])),
    'malformed-note',
    'signed by nobody',
  );
  t.end();
});

t.test('every changed byte of a signed note is refused', (t) => {
  const note = Buffer.from(`${TEXT}\n${PETER_LINE}`);
  for (let index = 0; index < note.length; index += 1) {
    const changed = Buffer.from(note);
    changed[index]! ^= 0x01;
    if (refusalOf(() => openNote(changed, [peter])) === 'accepted') t.fail(`byte ${index}`);
  }
  t.pass(`${note.length} bytes`);
  t.end();
});

t.test('key texts: no part, no neighbour of one is a key', (t) => {
  let tried = 0;
  for (const [text, parse] of [
    [PETER, parseVerifierKey],
    [PETER_SIGNER, parseSignerKey],
  ] as const) {
    for (let start = 0; start < text.length; start += 1) {
      for (let end = start; end <= text.length; end += 1) {
        if (end - start === text.length) continue;
        tried += 1;
        if (refusalOf(() => parse(text.slice(start, end))) !== 'malformed-key') t.fail(text.slice(start, end));
      }
      const changed = text.slice(0, start) + String.fromCharCode(text.charCodeAt(start) + 1) + text.slice(start + 1);
      if (refusalOf(() => parse(changed)) !== 'malformed-key') t.fail(changed);
    }
  }
  t.ok(tried > 5000);
  // Wrong length and unknown algorithm, each under the hash that fits it.
  for (const text of [
    'PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==',
    'PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
    PETER_SIGNER,
  ]) {
    t.equal(
      refusalOf(() => parseVerifierKey(text)),
      'malformed-key',
      text,
    );
  }
  t.equal(
    refusalOf(() => parseSignerKey(PETER)),
    'malformed-key',
  );
  for (const name of ['', 'a b', 'a+b', 'a\u0085b', 'a\u2003b']) {
    t.equal(
      refusalOf(() => noteSigner(name, seed)),
      'malformed-key',
      JSON.stringify(name),
    );
  }
  t.equal(
    refusalOf(() => noteSigner('short', seed.subarray(1))),
    'malformed-key',
  );
  t.equal(parseSignerKey(formatSignerKey(ORIGIN, seed)).verifierKey, signer.verifierKey);
  t.end();
});

t.test('no message holds a part of a signer key', (t) => {
  const secret = PETER_SIGNER.slice(-44);
  for (const text of [PETER_SIGNER.replace('c74f20a3', 'c74f20a4'), `${PETER_SIGNER}A`, PETER_SIGNER.slice(12)]) {
    try {
      parseSignerKey(text);
      t.fail('accepted');
    } catch (error) {
      const shown = `${String(error)} ${JSON.stringify(error)}`;
      for (let at = 0; at + 8 <= secret.length; at += 1) {
        if (shown.includes(secret.slice(at, at + 8))) t.fail(`shows ${at}`);
      }
      t.match(error, { code: 'malformed-key' });
    }
  }
  t.end();
});

t.test('checkpoints go round', (t) => {
  const line = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 });
  const property = fc.property(line, fc.nat(2 ** 31), fc.array(line, { maxLength: 3 }), (origin, size, extensions) => {
    const checkpoint: Checkpoint = { origin, size: size * 1000 + 1, root: leaves[0]!, extensions };
    const opened = openCheckpoint(signCheckpoint(checkpoint, [signer]), { ...log, origin });
    t.match(opened, checkpoint);
  });
  fc.assert(property, { numRuns: 100 });
  t.end();
});

t.test('malformed checkpoints', (t) => {
  const root = formatMerkleHash(leaves[0]!);
  const none = formatMerkleHash(emptyRoot());
  const table: readonly (readonly [string, string, string])[] = [
    ['as it should be', 'accepted', `o\n5\n${root}\n`],
    ['extension', 'accepted', `o\n5\n${root}\nmore\n`],
    ['empty log', 'accepted', `o\n0\n${none}\n`],
    ['empty log with a root', 'malformed-checkpoint', `o\n0\n${root}\n`],
    ['no root', 'malformed-checkpoint', 'o\n5\n'],
    ['nothing', 'malformed-checkpoint', ''],
    ['no last line break', 'malformed-checkpoint', `o\n5\n${root}`],
    ['empty origin', 'malformed-checkpoint', `\n5\n${root}\n`],
    ['empty extension', 'malformed-checkpoint', `o\n5\n${root}\n\nmore\n`],
    ['leading zero', 'malformed-checkpoint', `o\n05\n${root}\n`],
    ['sign', 'malformed-checkpoint', `o\n+5\n${root}\n`],
    ['negative', 'malformed-checkpoint', `o\n-5\n${root}\n`],
    ['hexadecimal', 'malformed-checkpoint', `o\n0x5\n${root}\n`],
    ['exponent', 'malformed-checkpoint', `o\n1e3\n${root}\n`],
    ['space', 'malformed-checkpoint', `o\n 5\n${root}\n`],
    ['2^53', 'malformed-checkpoint', `o\n9007199254740992\n${root}\n`],
    ['31 bytes of root', 'malformed-checkpoint', `o\n5\n${Buffer.alloc(31).toString('base64')}\n`],
    ['33 bytes of root', 'malformed-checkpoint', `o\n5\n${Buffer.alloc(33).toString('base64')}\n`],
    ['root in hexadecimal', 'malformed-checkpoint', `o\n5\n${Buffer.from(leaves[0]!).toString('hex')}\n`],
    ['root without padding', 'malformed-checkpoint', `o\n5\n${root.replace('=', '')}\n`],
  ];
  for (const [what, code, text] of table)
    t.equal(
      refusalOf(() => parseCheckpoint(text)),
      code,
      what,
    );
  const parts: Checkpoint = { origin: 'o', size: 5, root: leaves[0]!, extensions: [] };
  for (const bad of [
    { ...parts, origin: `o\n5\n${root}` },
    { ...parts, extensions: ['one\ntwo'] },
    { ...parts, extensions: [''] },
    { ...parts, size: 1.5 },
    { ...parts, size: NaN },
  ]) {
    t.equal(
      refusalOf(() => formatCheckpoint(bad)),
      'malformed-checkpoint',
    );
  }
  t.end();
});

t.test('the memory of checkpoints goes forwards only', async (t) => {
  const memory = new CheckpointMemory(ORIGIN);
  t.equal(memory.newest, undefined);
  t.equal(memory.accept(at(0), []), 'first');
  t.equal(memory.accept(at(5), []), 'advanced', 'from an empty log');
  t.equal(memory.accept(at(5), []), 'unchanged', 'replayed');
  t.equal(memory.accept(at(21), await proveConsistency(source, 5, 21)), 'advanced');
  const seen = memory.serialise();
  const forked = leaves.with(3, leaves[59]!);
  const forkedSource = subtreesFromLeaves(({ start, end }) => Promise.resolve(forked.slice(start, end)));
  const proof = await proveConsistency(source, 21, 40);
  const table: readonly (readonly [string, string, OpenedCheckpoint, readonly MerkleHash[]])[] = [
    ['backwards', 'checkpoint-backwards', at(20), []],
    [
      'backwards, with the proof of the other direction',
      'checkpoint-backwards',
      at(5),
      await proveConsistency(source, 5, 21),
    ],
    ['back to nothing', 'checkpoint-backwards', at(0), []],
    ['fork at the same size', 'checkpoint-fork', at(21, forked), []],
    ['rewritten and grown', 'wrong-older-root', at(40, forked), await proveConsistency(forkedSource, 21, 40)],
    ['rewritten and grown, honest proof', 'wrong-root', at(40, forked), proof],
    ['no proof', 'proof-length', at(40), []],
    ['proof too long', 'proof-length', at(40), [...proof, proof[0]!]],
    ['proof of other sizes', 'proof-length', at(40), await proveConsistency(source, 22, 40)],
    ['known one with a proof', 'proof-length', at(21), proof],
    ['another log', 'wrong-origin', at(40, leaves, 'other.example'), proof],
  ];
  for (const [what, code, checkpoint, by] of table) {
    t.equal(
      refusalOf(() => memory.accept(checkpoint, by)),
      code,
      what,
    );
    t.equal(memory.serialise(), seen, `${what}: keeps what it had`);
  }
  t.equal(memory.accept(at(40), proof), 'advanced', 'and still goes on');
  t.equal(
    refusalOf(() => new CheckpointMemory(ORIGIN).accept(at(40), proof)),
    'proof-length',
    'first, with a proof',
  );
});

t.test('the memory over a restart', async (t) => {
  const memory = new CheckpointMemory(ORIGIN);
  t.equal(CheckpointMemory.restore(ORIGIN, memory.serialise()).newest, undefined);
  memory.accept(at(21), []);
  const restored = CheckpointMemory.restore(ORIGIN, memory.serialise());
  t.equal(
    refusalOf(() => restored.accept(at(20), [])),
    'checkpoint-backwards',
  );
  t.equal(
    refusalOf(() => restored.accept(at(21, leaves.toReversed()), [])),
    'checkpoint-fork',
  );
  t.equal(restored.accept(at(40), await proveConsistency(source, 21, 40)), 'advanced');
  t.equal(openCheckpoint(restored.newest!.note, log).size, 40, 'keeps the signed evidence');
  for (const bad of ['{}', 'x\n', memory.serialise().slice(0, -1), memory.serialise().replace('21', '021')]) {
    t.equal(
      refusalOf(() => CheckpointMemory.restore(ORIGIN, bad)),
      'malformed-memory',
      JSON.stringify(bad),
    );
  }
  t.equal(
    refusalOf(() => CheckpointMemory.restore('other.example', memory.serialise())),
    'wrong-origin',
  );
});

t.test('a log that grows by any steps is followed', async (t) => {
  const property = fc.asyncProperty(fc.array(fc.nat(8), { minLength: 1, maxLength: 8 }), async (steps) => {
    const frontier = new MerkleFrontier();
    const memory = new CheckpointMemory(ORIGIN);
    let older = 0;
    for (const step of steps) {
      for (let count = 0; count < step && frontier.size < leaves.length; count += 1)
        frontier.append(leaves[frontier.size]!);
      const { size } = frontier;
      const opened = openCheckpoint(
        signCheckpoint({ origin: ORIGIN, size, root: frontier.root(), extensions: [] }, [signer]),
        log,
      );
      memory.accept(opened, memory.newest === undefined ? [] : await proveConsistency(source, older, size));
      older = size;
    }
  });
  await t.resolves(fc.assert(property, { numRuns: 40 }));
});

/** The signed checkpoint of a log over the first leaves. */
function at(size: number, of: readonly MerkleHash[] = leaves, origin = ORIGIN): OpenedCheckpoint {
  const checkpoint = { origin, size, root: naiveRoot(of.slice(0, size)), extensions: [] };
  return openCheckpoint(signCheckpoint(checkpoint, [signer]), { ...log, origin });
}
