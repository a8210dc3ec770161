import { openTokenCustody, type OpenTokenCustody } from '@sigv4-keyd/master-keyd';
import { systemClock, type Clock } from '@sigv4-keyd/hop-protocol';
import { CK, closeToken, openToken } from '@sigv4-keyd/pkcs11-custody';
import { kRegionBytes } from '@sigv4-keyd/sigv4-core';
import { inspect } from 'node:util';
import t, { type Test } from 'tap';
import { capturedLog, hmac } from '../master-keyd/master-under-test.js';
import { childrenOf } from '../support/child-processes.js';
import { day } from '../support/days.js';
import { SoftHsm, softHsmMissing } from '../support/soft-hsm.js';
import { until } from '../support/victim.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { keeperContract } from './contract.js';

const skip = await softHsmMissing();

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const NAME = { accessKeyId: 'AKIATOKEN', version: 3 };
const TODAY = day('20261122');
const expected = hmac(hmac(`AWS4${SECRET}`, TODAY), 'us-east-1');

type Keys = [string, ...string[]];

interface OpenOptions {
  readonly keys: Keys;
  readonly sessions?: number;
  readonly timer?: Clock;
  readonly pin?: string;
}

async function open(
  t: Test,
  hsm: Pick<SoftHsm, 'module' | 'token' | 'pin'>,
  { keys, sessions = 1, timer = systemClock, pin = hsm.pin }: OpenOptions,
): Promise<OpenTokenCustody & { readonly logged: readonly string[] }> {
  const { module, token } = hsm;
  const { log, logged } = capturedLog();
  const opened = await openTokenCustody({ module, token, pin, keys, sessions, env: process.env, timer, log });
  t.teardown(() => opened.close());
  return { ...opened, logged };
}

const custodyOf = async (t: Test, hsm: SoftHsm, ...keys: Keys) => (await open(t, hsm, { keys })).custody;

const opens = async ({ custody }: Pick<OpenTokenCustody, 'custody'>, sealed: Buffer): Promise<boolean> =>
  kRegionBytes(await custody.kDate({ ...NAME, sealed }, TODAY), 'us-east-1').equals(expected);

/** Resolves when the keeper serves again; whatever it refuses meanwhile, it says that it is away. */
function untilBack(keeper: OpenTokenCustody, sealed: Buffer): Promise<void> {
  return until(async () => {
    try {
      return await opens(keeper, sealed);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'custody-unavailable') return false;
      throw error;
    }
  });
}

/** Sessions held, and wanted, as metrics tell them. */
const told = (keeper: OpenTokenCustody): readonly number[] => keeper.sessions().map(({ value }) => value);

/** Resolves when the last session is lost, which a call has to find out. */
function untilAway(keeper: OpenTokenCustody, sealed: Buffer): Promise<void> {
  return until(async () => {
    await opens(keeper, sealed).catch(() => false);
    return keeper.warnings().length > 0;
  });
}

t.test('the contract', { skip }, async (t) => {
  const hsm = SoftHsm.create(t);
  for (const key of ['one', 'other', 'before']) await hsm.makeKeys(key);
  await keeperContract(t, {
    custody: await custodyOf(t, hsm, 'one', 'before'),
    reopened: await custodyOf(t, hsm, 'before', 'one'),
    stranger: await custodyOf(t, hsm, 'other'),
    derivesKeyPairs: false,
  });
});

t.test('two pairs of keys: both open, one seals, and the token seals anew', { skip }, async (t) => {
  const hsm = SoftHsm.create(t);
  const ids = [await hsm.makeKeys('old'), await hsm.makeKeys('anew')];
  const [before, between, after] = [
    await open(t, hsm, { keys: ['old'] }),
    await open(t, hsm, { keys: ['anew', 'old'] }),
    await open(t, hsm, { keys: ['anew'] }),
  ];
  t.same([between.custody.sealsWith, ...between.custody.reads], [ids[1], ids[1], ids[0]], 'the ids that init told');
  const sealed = await before.custody.seal(NAME, SECRET);
  t.ok(await opens(between, sealed), 'the key from before is read');
  await t.rejects(opens(after, sealed), { name: 'SealBroken', message: new RegExp(String(ids[0])) }, 'and named');
  const resealed = await between.custody.reseal({ ...NAME, sealed });
  t.ok(await opens(after, resealed));
  t.same(resealed.subarray(0, after.custody.prefix.length), after.custody.prefix);
  await t.rejects(opens(before, resealed), { name: 'SealBroken' });
  const renamed = Buffer.concat([before.custody.prefix, resealed.subarray(before.custody.prefix.length)]);
  await t.rejects(opens(between, renamed), { name: 'SealBroken' }, 'the name is part of the seal');
  await t.rejects(async () => between.custody.reseal({ ...NAME, version: 4, sealed }), { name: 'SealBroken' });
});

t.test('the token is taken away and put back; a session is killed', { skip }, async (t) => {
  const hsm = SoftHsm.create(t);
  await hsm.makeKeys('one');
  const keeper = await open(t, hsm, { keys: ['one'], sessions: 2 });
  const sealed = await keeper.custody.seal(NAME, SECRET);
  t.same(keeper.warnings(), []);
  await until(() => told(keeper)[0] === 2);
  t.same(
    keeper.sessions().map(({ labels }) => labels),
    [{ state: 'held' }, { state: 'wanted' }],
  );
  hsm.takeAway();
  const away = { name: 'KeydError', code: 'custody-unavailable' };
  await untilAway(keeper, sealed);
  await t.rejects(opens(keeper, sealed), away);
  await t.rejects(async () => keeper.custody.seal(NAME, SECRET), away);
  t.match(keeper.warnings(), [/the token that has the keys of the secrets is away/]);
  t.same(told(keeper), [0, 2]);
  hsm.putBack();
  await untilBack(keeper, sealed);
  await until(() => told(keeper)[0] === 2);
  t.same(keeper.warnings(), []);
  t.ok(await opens(keeper, await keeper.custody.seal(NAME, SECRET)), 'and it seals again');
  for (const child of childrenOf(process.pid)) process.kill(child, 'SIGKILL');
  await untilBack(keeper, sealed);
});

t.test('a PIN that was refused is not tried again: tokens lock themselves after a few', { skip }, async (t) => {
  const hsm = SoftHsm.create(t);
  await hsm.makeKeys('one');
  const wrong = open(t, hsm, { keys: ['one'], pin: 'not-the-pin' });
  await t.rejects(wrong, { name: 'TokenFailure', reason: 'pin-refused', message: /refuses the PIN/ });
  await wrong.catch((error: unknown) => t.notMatch(inspect(error, { depth: Infinity }), /not-the-pin/));

  const timer = new VirtualClock('2026-11-22T12:00:00Z');
  const keeper = await open(t, hsm, { keys: ['one'], sessions: 2, timer });
  const sealed = await keeper.custody.seal(NAME, SECRET);
  hsm.takeAway();
  hsm.initToken(hsm.token, 'another-pin');
  await untilAway(keeper, sealed);
  const refusals = (): number => keeper.logged.filter((line) => line.includes('"reason":"pin-refused"')).length;
  await until(() => refusals() > 0);
  hsm.putBack();
  await timer.advance(3_600_000);
  await t.rejects(opens(keeper, sealed), { code: 'custody-unavailable' }, 'even with the old token there');
  t.equal(refusals(), 1);
  t.match(keeper.warnings(), [/refuses the PIN .*it is not tried again/]);
  t.ok(await opens(await open(t, hsm, { keys: ['one'] }), sealed), 'a restart tries it');
});

t.test('the process that brings a secret in ends after it', { skip }, async (t) => {
  const hsm = SoftHsm.create(t);
  await hsm.makeKeys('one');
  const keeper = await open(t, hsm, { keys: ['one'] });
  const [using, ...none] = childrenOf(process.pid);
  t.same(none, []);
  const sealed = await Promise.all([1, 2, 3].map(async () => keeper.custody.seal(NAME, SECRET)));
  t.equal(childrenOf(process.pid).length, 2, 'one process for all that come in at a time');
  for (const each of sealed) t.ok(await opens(keeper, each));
  await until(() => childrenOf(process.pid).length === 1);
  t.same(childrenOf(process.pid), [using]);
});

/** An AES key that may leave the token. */
async function makeLooseKey({ module, token, pin }: SoftHsm, label: string): Promise<void> {
  const open = await openToken({ module, token }, { pin, mayMakeKeys: true });
  const yes = [CK.CKA_TOKEN, CK.CKA_WRAP, CK.CKA_UNWRAP, CK.CKA_EXTRACTABLE].map((type) => ({ type, value: true }));
  open.cryptoki.C_GenerateKey(open.session, { mechanism: CK.CKM_AES_KEY_GEN }, [
    { type: CK.CKA_LABEL, value: label },
    { type: CK.CKA_VALUE_LEN, value: 32 },
    { type: CK.CKA_SENSITIVE, value: false },
    ...yes,
  ]);
  closeToken(open);
}

t.test('what a token has to have', { skip }, async (t) => {
  const hsm = SoftHsm.create(t);
  await hsm.makeKeys('one');
  const refusal = async (change: { module?: string; token?: string }, keys: Keys = ['one']): Promise<unknown> => {
    return open(t, { module: hsm.module, token: hsm.token, pin: hsm.pin, ...change }, { keys }).then(
      () => undefined,
      (error: unknown) => error,
    );
  };
  t.match(await refusal({ module: '/nowhere/libnone.so' }), { reason: 'module-unusable', message: /libnone.so/ });
  t.match(await refusal({ token: 'other' }), { reason: 'token-absent', message: /there are: keyd/ });
  t.match(await refusal({}, ['two']), { reason: 'keys-unsuitable', message: /keydctl custody pkcs11 init makes it/ });
  t.match(await refusal({}, ['one', 'one']), { reason: 'keys-unsuitable', message: /they are one key/ });
  await makeLooseKey(hsm, 'loose');
  t.match(await refusal({}, ['loose']), {
    reason: 'keys-unsuitable',
    message: /can leave the token: make one that cannot/,
  });
  await t.rejects(hsm.makeKeys('one'), /has a key with the label one already/);
  hsm.initToken(hsm.token);
  t.match(await refusal({}), { reason: 'token-absent', message: /two tokens have the label keyd/ });
});
