import { readFileSync } from 'node:fs';
import type { Test } from 'tap';
import type { StackService } from './stack-files.js';

const dockerfile = readFileSync('deploy/Dockerfile', 'utf8');

export function mayDoLittle(t: Test, name: string, one: StackService): void {
  t.match(one, { read_only: true, privileged: false, cap_drop: ['ALL'], devices: [] }, name);
  t.strictSame(one.security_opt, ['no-new-privileges:true'], name);
  t.strictSame(
    [one.pid, one.ipc, one.userns_mode],
    [undefined, undefined, undefined],
    `${name} shares nothing of the host`,
  );
  t.not(one.network_mode, 'host', name);
  if (name === 'make-signer-credentials') {
    // It hands what it made to the user of the signer, who is not the user of the masters.
    t.strictSame(one.cap_add, ['CHOWN', 'DAC_OVERRIDE'], name);
    return;
  }
  t.strictSame(one.cap_add, [], name);
  t.match(one.user, /^(?:[1-9]\d*(?::\d+)?|postgres)$/, `${name} is not root`);
}

export function isBounded(
  t: Test,
  name: string,
  { cpus, mem_limit, pids_limit, ulimits, logging }: StackService,
): void {
  t.ok(Number(cpus) > 0 && Number(cpus) <= 1, `${name}: no more CPUs than any machine has`);
  t.match(mem_limit, /^\d+[mg]$/, name);
  t.ok(Number(pids_limit) > 0, name);
  t.equal(ulimits?.core, 0, `${name}: no core dumps`);
  t.match(logging, { driver: 'json-file', options: { 'max-size': /^\d+m$/, 'max-file': /^\d$/ } }, name);
}

const EXACT = /:v?\d+\.\d+(?:\.\d+)?(?:-[a-z-]+)?(?:@sha256:[0-9a-f]{64})?$/;

export function isPinned(t: Test, name: string, { image, build }: StackService): void {
  if (!image.startsWith('sigv4-keyd/')) {
    t.match(image, EXACT, name);
    return;
  }
  const base = build?.args?.['NODE_IMAGE'];
  if (base === undefined) return;
  t.match(base, EXACT, name);
  t.match(dockerfile, `ARG NODE_IMAGE=${base}\n`, 'the Dockerfile and Compose build on the same base');
}
