import t from 'tap';
import type { Test } from 'tap';
import { HEADER_MUTATIONS } from './header-mutations.js';
import { PRESIGNED_MUTATIONS } from './presigned-mutations.js';
import { SHARED_MUTATIONS } from './shared-mutations.js';
import { singleByteChanges } from './single-byte-changes.js';
import { auth, header, headerArrival, lastByteChanged, presignedArrival, verify } from './signed-requests.js';
import type { Arrival, Row } from './signed-requests.js';

/** Only these may come after a key was looked up; every other reason needs no key. */
const AFTER_LOOKUP: ReadonlySet<string> = new Set([
  'accepted',
  'signature-mismatch',
  'payload-hash-mismatch',
  'access-key-unknown',
]);

t.test('header', (t) => checkRows(t, headerArrival, [...SHARED_MUTATIONS, ...HEADER_MUTATIONS]));
t.test('presigned', (t) => checkRows(t, presignedArrival, [...SHARED_MUTATIONS, ...PRESIGNED_MUTATIONS]));

t.test('no byte of what is signed can be changed', async (t) => {
  for (const arrival of [headerArrival, presignedArrival]) {
    let changes = 0;
    for (const [what, mutated] of singleByteChanges(arrival)) {
      changes += 1;
      const { verdict, lookups } = await verify(mutated);
      if (verdict.verdict === 'accepted') t.fail(`accepted with ${what}`);
      else if (lookups !== (AFTER_LOOKUP.has(verdict.reason) ? 1 : 0))
        t.fail(`${verdict.reason} late or early: ${what}`);
    }
    t.ok(changes > 300, `${changes} changes were tried`);
  }
});

t.test('the body is asked for only where it decides', async (t) => {
  t.match(await verify(headerArrival), { verdict: { payloadSha256: /^[0-9a-f]{64}$/ }, bodiesHashed: 1 });
  const forged = header('authorization', lastByteChanged)(headerArrival);
  t.match(await verify(forged), { verdict: { reason: 'signature-mismatch' }, bodiesHashed: 0 });
  t.match(await verify(auth('AKIDEXAMPLE', 'AKIDEXAMPLF')(headerArrival)), { lookups: 1, bodiesHashed: 0 });
});

async function checkRows(t: Test, arrival: Arrival, rows: readonly Row[]): Promise<void> {
  for (const [name, mutation, expected] of rows) {
    const { verdict, lookups, bodiesHashed } = await verify(mutation(arrival));
    t.equal(verdict.verdict === 'accepted' ? 'accepted' : verdict.reason, expected, name);
    t.equal(lookups, AFTER_LOOKUP.has(expected) ? 1 : 0, `${name}: keys looked up`);
    if (lookups === 0) t.equal(bodiesHashed, 0, `${name}: bodies hashed`);
    if (verdict.verdict === 'refused')
      t.notMatch(JSON.stringify(verdict), /[0-9a-f]{64}/, `${name}: no signature told`);
  }
}
