import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { exportKDate, exportKRegion, kDate, kRegion, kSecret } from '@sigv4-keyd/sigv4-core';
import t, { type Test } from 'tap';
import { day } from '../support/days.js';
import { KeySearch } from '../support/key-search.js';
import { written } from './found-in-memory.js';
import { byteOfKey, DATE, KEY_BYTES, REGION } from './made-up-key.js';
import { canReadMemoryOf, memoryOf } from './process-memory.js';

const key = Buffer.from(Array.from({ length: KEY_BYTES }, (_, at) => byteOfKey(at)));
const kDateOfKey = kDate(kSecret(key), day(DATE));
const sought = [
  { name: 'key', bytes: key },
  { name: 'kDate', bytes: exportKDate(kDateOfKey) },
  { name: 'kRegion', bytes: exportKRegion(kRegion(kDateOfKey, REGION)) },
];

/** How a key in bytes apart is written in the memory of its process; undefined: that cannot be read here. */
async function leftOf(t: Test, what: 'wiped' | 'kept' | 'derived'): Promise<readonly string[] | undefined> {
  const program = fileURLToPath(new URL('wiping-program.js', import.meta.url));
  const child = spawn(process.execPath, [program, what], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  await once(child.stdout, 'data');
  const pid = child.pid ?? 0;
  if (!canReadMemoryOf(pid)) return undefined;
  const search = new KeySearch(sought);
  return written(search.in(memoryOf(pid, search.overlap)), sought);
}

t.test('nothing is left of a key that is overwritten, nor of what is derived with it for a day', async (t) => {
  const left = await leftOf(t, 'wiped');
  if (left === undefined) {
    t.comment('THE MEMORY OF OTHER PROCESSES CANNOT BE READ HERE: it was not searched');
    return;
  }
  t.same(left, []);
  t.same(await leftOf(t, 'derived'), [], 'derived');
  t.same(await leftOf(t, 'kept'), ['key: binary'], 'so that the search would have found them');
});
