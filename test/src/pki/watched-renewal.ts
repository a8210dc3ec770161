/**
 * A program that renews the certificate in a folder. Before each of its changes to the file system, counted from 1, it
 * copies the folder (`copy`: to COPIES-1, COPIES-2…), or it is killed before one of them (`kill`, with its number).
 * Arguments: the authority's folder, the folder, `copy` or `kill`, COPIES or the number.
 */
import { cpSync } from 'node:fs';
import promises, { open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const [authorityFolder = '', folder = '', what = '', copiesOrNumber = ''] = process.argv.slice(2);

let changes = 0;
function beforeChange(): void {
  changes += 1;
  if (what === 'copy') cpSync(folder, `${copiesOrNumber}-${changes}`, { recursive: true, verbatimSymlinks: true });
  else if (changes === Number(copiesOrNumber)) process.kill(process.pid, 'SIGKILL');
}

function watch(of: object, names: readonly string[]): void {
  for (const name of names) {
    const original = Reflect.get(of, name) as (...args: unknown[]) => unknown;
    Reflect.set(of, name, function (this: unknown, ...args: unknown[]): unknown {
      beforeChange();
      return Reflect.apply(original, this, args);
    });
  }
}

const own = await open(process.execPath);
watch(Object.getPrototypeOf(own) as object, ['writeFile', 'chmod', 'sync']);
await own.close();
watch(promises, ['mkdir', 'symlink', 'chmod', 'chown', 'open', 'link', 'copyFile', 'rename', 'rm']);
syncBuiltinESMExports();

const { openAuthority, renew } = await import('@sigv4-keyd/pki');
await renew({ authority: await openAuthority({ folder: authorityFolder }), folder, days: 30, now: Date.now() });
process.stdout.write(String(changes));
