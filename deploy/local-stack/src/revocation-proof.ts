import { setTimeout as pause } from 'node:timers/promises';
import type { MasterClient } from '@sigv4-keyd/keydctl';
import { scopeDateOf, type RefusalReason } from '@sigv4-keyd/sigv4-core';
import type { EdgePorts } from './ports.js';
import { prove } from './proof.js';
import { StackError } from './stack-error.js';

const REFUSED: RefusalReason = 'scope-revoked';
const ASK_EVERY_MS = 20;
/** News travel in a fraction of a second; a machine that is busy starting things may take longer. */
const WITHIN_MS = 15_000;

/** Revokes an access key made for it, which an edge has just verified, and resolves to how soon the edge refused it. */
export async function proveRevocation(master: MasterClient, edge: EdgePorts, signal: AbortSignal): Promise<string> {
  const credentials = await master.create({ owner: 'local stack: to be revoked' });
  const proof = { title: 'an access key to be revoked', edge, signer: { credentials, region: edge.region } };
  await prove({ ...proof, expected: 'verified' });
  const today = scopeDateOf(Date.now());
  await master.revoke({
    accessKeyId: credentials.accessKeyId,
    from: today,
    incident: 'LOCAL-STACK',
    reason: 'npm start shows that a revoked access key is refused',
  });
  const revokedAt = performance.now();
  const answer = await untilRefused(() => prove({ ...proof, expected: REFUSED }), signal);
  const seconds = ((performance.now() - revokedAt) / 1000).toFixed(2);
  await master.change([credentials.accessKeyId], { kind: 'delete' });
  return `${answer}, ${seconds} s after it was revoked`;
}

async function untilRefused(attempt: () => Promise<string>, signal: AbortSignal): Promise<string> {
  const deadline = performance.now() + WITHIN_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof StackError) || performance.now() > deadline) throw error;
    }
    await pause(ASK_EVERY_MS, undefined, { signal });
  }
}
