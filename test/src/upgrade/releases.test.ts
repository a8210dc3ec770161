import {
  decodeKeyAnswer,
  keyAnswer,
  readDayStream,
  readSealedAnswer,
  verifySessionToken,
  type KeyAnswer,
  type StreamedKey,
} from '@sigv4-keyd/hop-protocol';
import {
  decodeIssuanceRecord,
  encodeIssuanceRecord,
  leafHash,
  openCheckpoint,
  parseVerifierKey,
} from '@sigv4-keyd/ledger';
import { shippedMigrations } from '@sigv4-keyd/master-keyd';
import { FeedState, pinFeedKeys, publicJwks } from '@sigv4-keyd/revocation';
import t from 'tap';
import { apiDocuments } from '../api/documents.js';
import type { Operation } from '../api/openapi.js';
import { RULE } from '../revocation/publisher.js';
import { newStateFolder } from '../support/state-folder.js';
import { hindrances } from './exchangeable.js';
import { fixedFeedKey } from './fixed-keys.js';
import { comparableOf, filesIn, keepAll, KEPT, placeFiles, readAll } from './kept-files.js';
import { MESSAGES } from './messages.js';
import { recordedReleases, type RecordedRelease } from './releases.js';
import {
  DATE,
  eachHop,
  IDS,
  LOG_ORIGIN,
  recipient,
  sampleAnswer,
  SESSION,
  wireForms,
  type SampleHop,
} from './wire-forms.js';

const RELEASES = recordedReleases();
const REMEDY =
  'let both forms be read, or promise less in docs/upgrade.md; ' +
  'while the release is not out: node test/dist/upgrade/record.js';

async function* from(bytes: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(bytes);
}

function comparable<Key>({ hop }: SampleHop<Key>, { issued, absent }: KeyAnswer<Key>): readonly [unknown, unknown] {
  return [[...issued.values()].map(({ facts, key }) => [facts, hop.exportKey(key).toString('hex')]), [...absent]];
}

async function pagesOf<Key>({ hop, scope }: SampleHop<Key>, hex: string): Promise<readonly StreamedKey[]> {
  const keys: StreamedKey[] = [];
  const question = { request: { date: DATE, which: 'all' }, scope, hop, recipient: recipient() } as const;
  for await (const page of readDayStream(question, from(Buffer.from(hex, 'hex')))) {
    // The bytes are good until the next page.
    keys.push(...page.map(({ facts, key }) => ({ facts: { ...facts }, key: Uint8Array.from(key) })));
  }
  return keys;
}

const form = ({ forms }: RecordedRelease, name: string): string => {
  const text = forms[name];
  if (text === undefined) throw new Error(`${name} was not recorded`);
  return text;
};

t.ok(RELEASES.length > 0, 'a release was recorded');

for (const recorded of RELEASES) {
  t.test(`release ${recorded.release}`, async (t) => {
    await t.test('what it answers is understood, and it is answered in the same bytes', async (t) => {
      const now = await wireForms();
      for (const [name, text] of Object.entries(recorded.forms)) t.equal(now[name], text, `${name} (${REMEDY})`);
      const read = eachHop(async (sample) => {
        const { hop, scope, key } = sample;
        const request = { date: DATE, accessKeyIds: IDS };
        const message = keyAnswer.parse(JSON.parse(form(recorded, `POST ${hop.path}: JSON`)));
        const answer = decodeKeyAnswer(hop, request, scope, message);
        t.strictSame(comparable(sample, answer), comparable(sample, sampleAnswer(key)), `${hop.path}: the very keys`);
        const sealed = Buffer.from(form(recorded, `POST ${hop.path}: sealed, hex`), 'hex');
        const opened = await readSealedAnswer(hop, { request, scope, recipient: recipient() }, sealed);
        t.strictSame(comparable(sample, opened), comparable(sample, sampleAnswer(key)), `${hop.path}: sealed`);
        for (const name of [`POST ${hop.path}/day: hex`, `POST ${hop.path}/day: sealed, hex`]) {
          const streamed = await pagesOf(sample, form(recorded, name));
          t.strictSame(
            streamed.map(({ facts, key: bytes }) => [facts, Buffer.from(bytes).toString('hex')]),
            comparable(sample, sampleAnswer(key))[0],
            `${name}: the same in a stream`,
          );
        }
      });
      await Promise.all(read);
    });

    await t.test('its feed is believed, and its state file is restored', async (t) => {
      const { at, jwks, beacon, facts, state } = recorded.feed;
      const keys = await pinFeedKeys(JSON.parse(jwks));
      const fresh = FeedState.empty(keys, RULE);
      const { beacon: told, newStatements, newChanges } = await fresh.accept({ beacon, statements: facts }, at);
      t.equal(told.outcome, 'advanced');
      t.equal(newStatements.length, 1, 'its revocation is in force');
      t.equal(newChanges.length, 1, 'and its change of an access key');
      const restored = await FeedState.restore(state, keys, RULE);
      t.equal(restored.state.serialise(), state, 'what is kept is kept in the same form');
    });

    await t.test('its records and checkpoints are those of today', (t) => {
      const record = form(recorded, 'issuance record');
      t.equal(encodeIssuanceRecord(decodeIssuanceRecord(record)), record);
      const log = { origin: LOG_ORIGIN, verifiers: [parseVerifierKey(form(recorded, 'key of the log'))] };
      const { size, root } = openCheckpoint(form(recorded, 'checkpoint'), log);
      t.equal(size, 1);
      t.ok(Buffer.from(root).equals(leafHash(Buffer.from(record))), 'the leaf is the hash of the record');
      t.end();
    });

    await t.test('its session tokens are believed', async (t) => {
      const keys = await Promise.all((['revocation', 'beacon', 'root'] as const).map(fixedFeedKey));
      const pinned = await pinFeedKeys(publicJwks(keys));
      t.strictSame(await verifySessionToken(form(recorded, 'session token'), pinned), SESSION);
    });

    await t.test('its reports, batches of acceptances and grants are read, with all that is in them', (t) => {
      for (const [name, { schema, sample }] of Object.entries(MESSAGES)) {
        t.match(schema.parse(JSON.parse(recorded.messages[name] ?? 'null')), sample, `${name} (${REMEDY})`);
      }
      t.end();
    });

    await t.test('what its tiers keep is taken up, and kept in the same form', async (t) => {
      const before = newStateFolder(t);
      placeFiles(recorded.kept, before);
      t.strictSame(await readAll(before), KEPT, REMEDY);
      const now = newStateFolder(t);
      await keepAll(now);
      t.strictSame(comparableOf(filesIn(now)), comparableOf(recorded.kept));
    });

    await t.test('its steps of the schema are there, unchanged and in the same order', async (t) => {
      const shipped = (await shippedMigrations()).map(({ name, checksum }) => ({ name, checksum }));
      t.strictSame(shipped.slice(0, recorded.migrations.length), recorded.migrations);
    });

    await t.test('its tiers may ask those of today, and be asked by them', async (t) => {
      const today = await apiDocuments();
      let compared = 0;
      for (const [service, document] of recorded.api) {
        for (const [path, methods] of Object.entries(document.paths)) {
          for (const [method, before] of Object.entries(methods)) {
            const now = today.get(service)?.paths[path]?.[method];
            const name = `${service}: ${method} ${path}`;
            if (!now) {
              t.fail(`${name} is gone (${REMEDY})`);
              continue;
            }
            if (!isBetweenTiers(before)) continue;
            compared += 1;
            const found = [
              ...hindrances(before['requestBody'], now['requestBody'], 'the question'),
              ...Object.entries(before.responses)
                .filter(([status]) => status.startsWith('2'))
                .flatMap(([status, answer]) => hindrances(answer, now.responses[status], `answer ${status}`)),
              ...hindrances(before['parameters'], now['parameters'], 'the parameters'),
            ];
            if (found.length > 0) t.fail(`${name}: ${found.join('; ')} (${REMEDY})`);
          }
        }
      }
      t.ok(compared >= 15, `${compared} routes between tiers were compared`);
    });
  });
}

/** Of those that operators ask, that they are there is enough: keydctl is upgraded with the masters. */
function isBetweenTiers(operation: Operation): boolean {
  const roles = operation['x-roles'];
  return Array.isArray(roles) && roles.some((role) => role !== 'operator');
}

t.test('what hinders an exchange is told', (t) => {
  const closed = {
    type: 'object',
    properties: { a: { type: 'string' } },
    required: ['a'],
    additionalProperties: false,
  };
  const open = { ...closed, additionalProperties: undefined };
  const grown = { ...closed.properties, b: { type: 'number' } };
  const cases: readonly (readonly [string, unknown, unknown, boolean])[] = [
    ['the same', closed, closed, true],
    ['other words for readers', open, { ...open, description: 'what it is' }, true],
    ['another order of names', { enum: ['a', 'b'] }, { enum: ['b', 'a'] }, true],
    ['a new part that may be absent, read over', open, { ...open, properties: grown }, true],
    ['a new part, refused by a strict reader', closed, { ...closed, properties: grown }, false],
    ['a new part that must be there', open, { ...open, properties: grown, required: ['a', 'b'] }, false],
    ['a part that need not be there any more', open, { ...open, required: [] }, false],
    ['a part that is gone', open, { ...open, properties: {} }, false],
    ['another type', { type: 'string' }, { type: 'number' }, false],
    ['another word of a closed set', { enum: ['a'] }, { enum: ['a', 'b'] }, false],
    ['another bound', { maxItems: 5 }, { maxItems: 6 }, false],
    ['a part within a list', { items: open }, { items: { ...open, required: [] } }, false],
    ['one of several forms less', { anyOf: [open, closed] }, { anyOf: [open] }, false],
    ['no body any more', { content: {} }, undefined, false],
  ];
  for (const [what, before, now, isFine] of cases) t.equal(hindrances(before, now).length === 0, isFine, what);
  t.end();
});
