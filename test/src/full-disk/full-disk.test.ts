import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

// A file system of a mebibyte, which only this process and its children see: no rights are needed where the kernel lets
// users have name spaces of their own, and nothing is left to unmount.
const MOUNTED = 'mount -t tmpfs -o size=1m,mode=700 tmpfs "$0" && exec "$@"';
const inNameSpace = (folder: string, ...command: readonly string[]): readonly string[] => {
  return ['-rm', 'sh', '-c', MOUNTED, folder, ...command];
};

const folder = t.testdir();
const { status, error, stderr } = spawnSync('unshare', inNameSpace(folder, 'true'), { encoding: 'utf8' });
const why = (error?.message ?? stderr).trim();
const skip = status !== 0 && `SKIPPED: a small file system cannot be mounted here: ${why}`;
if (skip) process.stderr.write(`full-disk: ${skip}\n`);

const program = fileURLToPath(new URL('on-a-small-disk.js', import.meta.url));
void t.spawn('unshare', [...inNameSpace(folder, process.execPath, program, folder)], {
  name: 'a disk that is full: nothing that was kept is lost, the error is told, and all goes on when there is room',
  skip,
});
