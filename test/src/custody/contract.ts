import { SealBroken, type Custody, type SealedSecret, type SecretName } from '@sigv4-keyd/master-keyd';
import { KeydError } from '@sigv4-keyd/hop-protocol';
import { ecdsaPrivateKey, ecdsaPublicKey, kRegionBytes, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import type { Test } from 'tap';
import { hmac } from '../master-keyd/master-under-test.js';
import { day } from '../support/days.js';

/** A keeper, and what the contract has to know of it. */
export interface KeeperUnderTest {
  readonly custody: Custody;
  /** The same keeper with the same key, opened anew: what a restart finds. */
  readonly reopened: Custody;
  /** The same kind of keeper with another key. */
  readonly stranger: Custody;
  /** Whether it makes the public keys of AWS4-ECDSA-P256-SHA256. */
  readonly derivesKeyPairs: boolean;
  /** Dates that it derives for; absent: any. */
  readonly dates?: readonly ScopeDate[];
}

const NAME: SecretName = { accessKeyId: 'AKIACONTRACT', version: 1 };
const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const DATES = ['20261122', '20240229', '20991231'].map((date) => day(date));
const TODAY = day('20261122');

/** Everything that a keeper promises to whoever calls it. Run it for each kind. */
export async function keeperContract(t: Test, keeper: KeeperUnderTest): Promise<void> {
  const { custody, reopened, stranger, derivesKeyPairs, dates = DATES } = keeper;
  const sealed = async (name: SecretName = NAME, secret = SECRET): Promise<SealedSecret> => ({
    ...name,
    sealed: await custody.seal(name, secret),
  });
  const kRegionOf = async (secret: SealedSecret, by: Custody = custody, date = TODAY): Promise<Buffer> =>
    kRegionBytes(await by.kDate(secret, date), 'eu-west-1');
  const refusal = async (secret: SealedSecret, by: Custody = custody): Promise<unknown> => {
    try {
      await by.kDate(secret, TODAY);
      return undefined;
    } catch (error) {
      return error;
    }
  };

  await t.test('kDate is that of the secret and the date, before and after a restart', async (t) => {
    const secrets = [SECRET, '!'.repeat(16), `~${'a/+='.repeat(31)}~~~`];
    for (const [index, secret] of secrets.entries()) {
      const kept = await sealed({ accessKeyId: `AKIAMANY${index}`, version: index + 1 }, secret);
      for (const date of dates) {
        const expected = hmac(hmac(`AWS4${secret}`, date), 'eu-west-1');
        for (const by of [custody, reopened]) {
          t.same(await kRegionOf(kept, by, date), expected);
          t.same(by.kRegionBytes?.(kept, date, 'eu-west-1') ?? expected, expected, 'at once, where it has the secret');
        }
      }
    }
  });

  await t.test('a sealed value holds no secret, and no two are alike', async (t) => {
    const [one, other] = [await sealed(), await sealed()];
    t.notSame(one.sealed, other.sealed);
    for (const form of ['utf8', 'base64', 'hex'] as const) {
      const needle = Buffer.from(SECRET).toString(form).slice(0, 32);
      t.notOk(one.sealed.includes(needle), form);
    }
    const before = Buffer.from(one.sealed);
    await custody.kDate(one, TODAY);
    t.same(one.sealed, before, 'and opening it does not change it');
  });

  await t.test('the public key of AWS4-ECDSA-P256-SHA256', async (t) => {
    const kept = await sealed();
    const asked = async (): Promise<unknown> => custody.ecdsaPublicKey(kept);
    if (derivesKeyPairs) {
      const expected = ecdsaPublicKey(ecdsaPrivateKey(SECRET, NAME.accessKeyId));
      const made = await custody.ecdsaPublicKey(kept);
      t.same(inspect(made), inspect(expected));
      const moved = { ...kept, version: 2 };
      await t.rejects(async () => custody.ecdsaPublicKey(moved), { name: 'SealBroken' });
    } else {
      await t.rejects(asked(), { name: 'KeydError', code: 'algorithm-not-supported' });
    }
  });

  await t.test('a seal holds for its access key and version only', async (t) => {
    const kept = await sealed({ accessKeyId: 'AKIAONE', version: 12 });
    t.equal(await refusal(kept), undefined);
    for (const name of [
      { accessKeyId: 'AKIATWO', version: 12 },
      { accessKeyId: 'AKIAONE', version: 1 },
      { accessKeyId: 'AKIAONE', version: 13 },
      { accessKeyId: 'AKIAONE1', version: 2 },
      { accessKeyId: 'akiaone', version: 12 },
      { accessKeyId: '', version: 12 },
    ]) {
      t.type(await refusal({ ...kept, ...name }), SealBroken, JSON.stringify(name));
      if (custody.kRegionBytes) {
        t.throws(() => custody.kRegionBytes?.({ ...kept, ...name }, TODAY, 'eu-west-1'), { name: 'SealBroken' });
      }
    }
  });

  await t.test('a seal of another key does not open', async (t) => {
    t.type(await refusal(await sealed(), stranger), SealBroken);
    t.type(await refusal({ ...NAME, sealed: await stranger.seal(NAME, SECRET) }), SealBroken);
  });

  await t.test('each byte counts: changed, left out, added', async (t) => {
    const kept = await sealed();
    const opened: string[] = [];
    const attempt = async (what: string, bytes: Buffer): Promise<void> => {
      const error = await refusal({ ...kept, sealed: bytes });
      if (!(error instanceof SealBroken)) opened.push(`${what}: ${inspect(error)}`);
    };
    const places = [...kept.sealed.keys()];
    await Promise.all(
      places.map(async (place) => {
        const changed = Buffer.from(kept.sealed);
        changed.writeUInt8(changed.readUInt8(place) ^ (1 << (place % 8)), place);
        await attempt(`bit of byte ${place}`, changed);
        await attempt(`cut to ${place}`, kept.sealed.subarray(0, place));
      }),
    );
    await attempt('a byte more', Buffer.concat([kept.sealed, Buffer.of(0)]));
    await attempt('a byte before', Buffer.concat([kept.sealed.subarray(0, 1), kept.sealed]));
    t.same(opened, []);
    t.equal(await refusal(kept), undefined, 'and the whole opens still');
  });

  await t.test('bytes that nobody sealed', async (t) => {
    const odd: string[] = [];
    for (let layout = 0; layout < 256; layout++) {
      for (const length of [0, 7, 8, 28, 36, 90]) {
        const error = await refusal({ ...NAME, sealed: Buffer.concat([Buffer.of(layout), randomBytes(length)]) });
        if (!(error instanceof SealBroken)) odd.push(`layout ${layout}, ${length} bytes: ${inspect(error)}`);
      }
    }
    t.same(odd, []);
  });

  await t.test('errors tell nothing of the secret or of the sealed bytes', async (t) => {
    const kept = await sealed();
    const moved = await refusal({ ...kept, accessKeyId: 'AKIAOTHER' });
    const told = inspect(moved, { depth: Infinity, showHidden: true });
    t.notOk(told.includes(SECRET));
    t.notOk(told.includes(kept.sealed.toString('hex')) || told.includes(kept.sealed.toString('base64')));
    t.notOk(moved instanceof KeydError, 'one broken secret is no outage of the keeper');
  });

  await t.test('many at a time, broken ones among them', async (t) => {
    const kept = await Promise.all(
      Array.from({ length: 64 }, (_, n) => sealed({ accessKeyId: `AKIAWIDE${n}`, version: 1 }, `${SECRET}${n}`)),
    );
    const answers = await Promise.all(
      kept.map(async (secret, n) => {
        if (n % 4 === 3) return (await refusal({ ...secret, version: 2 })) instanceof SealBroken;
        const expected = hmac(hmac(`AWS4${SECRET}${n}`, TODAY), 'eu-west-1');
        return (await kRegionOf(secret)).equals(expected);
      }),
    );
    t.same(
      answers.flatMap((isRight, n) => (isRight ? [] : [n])),
      [],
    );
  });
}
