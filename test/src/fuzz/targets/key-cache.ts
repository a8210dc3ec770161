import { createCipheriv, generateKeyPairSync, hkdfSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SERVICE_KEYS } from '@sigv4-keyd/hop-protocol';
import { cacheSecretOf } from '@sigv4-keyd/service-skeleton';
import { hold, type Target } from '../engine/target.js';
import { day } from '../../support/days.js';
import { EDGE, FEED, openCache } from '../../key-cache/cache-under-test.js';

const TODAY = day('20261122');
const FILE = `${TODAY}.sealed`;
const { privateKey } = generateKeyPairSync('ed25519');
const SECRET = cacheSecretOf(Buffer.from(privateKey.export({ format: 'pem', type: 'pkcs8' })), EDGE);
const SALT = Buffer.alloc(32, 7);
const LAST = 0x8000_0000;
const HEAD = JSON.stringify({ at: Date.UTC(2026, 10, 22, 9), feed: FEED });
const RECORD = recordOf('AK1', 0, Buffer.alloc(0));
const RESTRICTED = recordOf('AK2', 7, Buffer.concat([doubleOf(9e12), Buffer.from('\0\x02\x02s3\x03sqs', 'latin1')]));

/** A folder for all inputs, one after the other. */
const folder = mkdtempSync(join(tmpdir(), 'keyd-fuzz-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** The records of a segment. The harness seals them, as an older version of this identity might have. */
const records: Target = {
  name: 'key-cache-records',
  covers: ['packages/service-skeleton/dist/key-cache/'],
  seeds: [RECORD, Buffer.concat([RECORD, RESTRICTED])],
  words: ['\x03AK0', '\x00\x00\x00\x01', '\x00\x02\x02s3', '\x07', '\xff\xff'],
  memory: { atLeast: 4 * 1024 * 1024, perByte: 64 },
  isSlow: true,
  run: (input) => isRestored(segmentOf([HEAD, input])),
};

/** The content of a whole file: what of it is authentic is the seeds' own. */
const file: Target = {
  name: 'key-cache-file',
  covers: ['packages/service-skeleton/dist/key-cache/'],
  seeds: [segmentOf([HEAD, RECORD]), segmentOf([HEAD]), Buffer.concat([segmentOf([HEAD, RECORD]), Buffer.alloc(9)])],
  words: ['KEYDKEYS\x01', '\x80\x00\x00\x14', '\x00\x10\x00\x10', '\x00\x10\x00\x11', '\x00\x00\x00\x0f'],
  mostBytes: 1024,
  // A block may have a mebibyte; its length comes before it.
  memory: { atLeast: 4 * 1024 * 1024, perByte: 64 },
  isSlow: true,
  run: isRestored,
};

export const KEY_CACHE: readonly Target[] = [records, file];

/** Whether keys are taken up of a file. Whatever it holds, the tier starts. */
async function isRestored(content: Buffer): Promise<boolean> {
  writeFileSync(join(folder, FILE), content);
  const { cache, days } = await openCache({ teardown: () => undefined }, { folder, secret: SECRET });
  const held = [...days.entries(TODAY)];
  for (const { facts, key } of held) {
    hold(facts.accessKeyId.length <= 255 && key.length === SERVICE_KEYS.keyBytes, 'a key of its length');
  }
  await cache.close();
  return held.length > 0;
}

/** A segment as its form says, made by nobody that reads it. */
function segmentOf([head, ...blocks]: readonly [head: string, ...blocks: Buffer[]]): Buffer {
  const info = JSON.stringify(['sigv4-keyd key cache segment', 1, SERVICE_KEYS.path, FILE, '']);
  const key = Buffer.from(hkdfSync('sha256', SECRET.key, SALT, info, 32));
  const contents = [Buffer.from(head), ...blocks, Buffer.of(0, 0, 0, blocks.length)];
  const sealed = contents.map((content, number) => {
    const isLast = number === contents.length - 1;
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(number, 7);
    nonce[11] = isLast ? 1 : 0;
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(content.length + 16 + (isLast ? LAST : 0));
    return Buffer.concat([length, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
  });
  return Buffer.concat([Buffer.from('KEYDKEYS\x01', 'latin1'), Buffer.from(SECRET.name, 'hex'), SALT, ...sealed]);
}

function recordOf(accessKeyId: string, flags: number, more: Buffer): Buffer {
  const id = Buffer.from(accessKeyId);
  return Buffer.concat([
    Buffer.of(id.length),
    id,
    Buffer.of(flags, 0, 0, 0, 1),
    doubleOf(1_000),
    more,
    Buffer.alloc(32, 1),
  ]);
}

function doubleOf(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}
