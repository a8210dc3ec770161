import { fileCustody, type Custody } from '@sigv4-keyd/master-keyd';
import { kRegionBytes } from '@sigv4-keyd/sigv4-core';
import { createCipheriv, createSecretKey, randomBytes } from 'node:crypto';
import t from 'tap';
import { hmac } from '../master-keyd/master-under-test.js';
import { day } from '../support/days.js';
import { keeperContract } from './contract.js';

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const NAME = { accessKeyId: 'AKIAFILE', version: 3 };
const TODAY = day('20261122');
const keyOf = (bytes: Buffer) => createSecretKey(bytes);

t.test('the contract, with one key', async (t) => {
  const key = randomBytes(32);
  await keeperContract(t, {
    custody: fileCustody(keyOf(key)),
    reopened: fileCustody(keyOf(key)),
    stranger: fileCustody(keyOf(randomBytes(32))),
    derivesKeyPairs: true,
  });
});

t.test('the contract, while keys are rotated', async (t) => {
  const [anew, old] = [randomBytes(32), randomBytes(32)];
  await keeperContract(t, {
    custody: fileCustody(keyOf(anew), keyOf(old)),
    reopened: fileCustody(keyOf(old), keyOf(anew)),
    stranger: fileCustody(keyOf(randomBytes(32)), keyOf(randomBytes(32))),
    derivesKeyPairs: true,
  });
});

const expected = hmac(hmac(`AWS4${SECRET}`, TODAY), 'us-east-1');
const opens = async (custody: Custody, sealed: Buffer): Promise<boolean> =>
  kRegionBytes(await custody.kDate({ ...NAME, sealed }, TODAY), 'us-east-1').equals(expected);

t.test('two keys: both open, one seals, and each seal names its key', async (t) => {
  const [anew, old] = [keyOf(randomBytes(32)), keyOf(randomBytes(32))];
  const [before, between, after] = [fileCustody(old), fileCustody(anew, old), fileCustody(anew)];
  const sealed = await before.seal(NAME, SECRET);
  t.ok(await opens(between, sealed), 'the key from before is read');
  await t.rejects(opens(after, sealed), { name: 'SealBroken', message: new RegExp(before.sealsWith) }, 'and named');

  t.ok(await opens(after, await between.seal(NAME, SECRET)), 'new seals are made with the new key');
  const resealed = await between.reseal({ ...NAME, sealed });
  t.ok(await opens(after, resealed));
  await t.rejects(opens(before, resealed), { name: 'SealBroken' });
  t.same(resealed.subarray(0, between.prefix.length), between.prefix);
  t.notSame(sealed.subarray(0, between.prefix.length), between.prefix);
  t.same([between.reads, between.sealsWith], [[after.sealsWith, before.sealsWith], after.sealsWith]);
  t.equal(fileCustody(anew).sealsWith, after.sealsWith, 'the name of a key is always the same');

  const renamed = Buffer.concat([before.prefix, resealed.subarray(before.prefix.length)]);
  await t.rejects(opens(between, renamed), { name: 'SealBroken' }, 'the name is part of the seal');
  await t.rejects(async () => between.reseal({ ...NAME, version: 4, sealed }), { name: 'SealBroken' });
});

t.test('seals from before keys had names open with either key, and get one', async (t) => {
  const key = keyOf(randomBytes(32));
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(`sigv4-keyd secret\n${NAME.accessKeyId}\n${NAME.version}`));
  const ciphertext = Buffer.concat([cipher.update(SECRET, 'utf8'), cipher.final()]);
  const sealed = Buffer.concat([Buffer.of(1), nonce, ciphertext, cipher.getAuthTag()]);
  t.ok(await opens(fileCustody(key), sealed));
  const rotating = fileCustody(keyOf(randomBytes(32)), key);
  t.ok(await opens(rotating, sealed));
  const resealed = await rotating.reseal({ ...NAME, sealed });
  t.same(resealed.subarray(0, rotating.prefix.length), rotating.prefix);
  t.ok(await opens(rotating, resealed));
  await t.rejects(opens(fileCustody(keyOf(randomBytes(32))), sealed), { name: 'SealBroken' });
});
