import { createHash } from 'node:crypto';
import { publicHalfOf, RECOVERY_KEY_BYTES, recoveryPrivateKey } from '@sigv4-keyd/hop-protocol';
import { combine, split } from 'shamir-secret-sharing';
import type { KeyObject } from 'node:crypto';
import { CommandError } from '../command-line/command-error.js';

/** The part of the secret, and the byte that Shamir's scheme adds to it. */
const SHARE_BYTES = RECOVERY_KEY_BYTES + 1;
const FORM = /^(keyd-recovery-share\.1\.([0-9a-f]{16})\.([1-9][0-9]{0,2})\.([A-Za-z0-9_-]{44}))\.([0-9a-f]{8})$/;

/** One of the parts of a recovery key: a line of text that fits on paper. */
interface RecoveryShare {
  readonly recoveryKeyId: string;
  readonly threshold: number;
  readonly part: Buffer;
}

/** The lines of the shares, any `threshold` of which make the key again. */
export async function splitRecoveryKey(
  privateKey: Uint8Array,
  recoveryKeyId: string,
  { shares, threshold }: { readonly shares: number; readonly threshold: number },
): Promise<readonly string[]> {
  const parts = await split(new Uint8Array(privateKey), shares, threshold);
  return parts.map((part) => {
    const text = Buffer.from(part).toString('base64url');
    const line = `keyd-recovery-share.1.${recoveryKeyId}.${threshold}.${text}`;
    return `${line}.${checksum(line)}`;
  });
}

/** A share as it was given, and where it was. */
export interface GivenShare {
  readonly from: string;
  readonly text: string;
}

/**
 * The private half of the recovery key. Believed only when its public half has the id that the shares name.
 * @throws CommandError which says what is wrong with which share; never a part of one
 */
export async function joinRecoveryShares(given: readonly GivenShare[]): Promise<KeyObject> {
  const shares = given.map((one) => ({ from: one.from, ...readShare(one) }));
  const [first] = shares;
  if (!first) throw refused('no share is given', 'Give the files of as many shares as the threshold says');
  for (const [index, share] of shares.entries()) {
    if (share.recoveryKeyId !== first.recoveryKeyId || share.threshold !== first.threshold) {
      const what = `${share.from} is a share of recovery key ${share.recoveryKeyId}, ${first.from} of ${first.recoveryKeyId}`;
      throw refused(what, 'Give shares of one recovery key');
    }
    const twin = shares.slice(0, index).find(({ part }) => part.at(-1) === share.part.at(-1));
    if (twin) throw refused(`${share.from} and ${twin.from} are the same share`, 'Give each share once');
  }
  if (shares.length < first.threshold) {
    const what = `${shares.length} of the ${first.threshold} shares that are needed are given`;
    throw refused(what, `Give ${first.threshold - shares.length} more of the same recovery key`);
  }
  const secret = await combine(shares.map(({ part }) => new Uint8Array(part)));
  try {
    const key = recoveryPrivateKey(secret);
    if (publicHalfOf(key).id === first.recoveryKeyId) return key;
  } finally {
    secret.fill(0);
  }
  const what = `together the shares do not make recovery key ${first.recoveryKeyId}: at least one of them is forged`;
  throw refused(what, 'Try again with other shares of the set');
}

function readShare({ from, text }: GivenShare): RecoveryShare {
  const [, line = '', recoveryKeyId = '', threshold, part = '', sum] = FORM.exec(text.trim()) ?? [];
  if (threshold === undefined) {
    throw refused(`${from} is no recovery share`, 'A share is one line that begins with keyd-recovery-share.1');
  }
  const bytes = Buffer.from(part, 'base64url');
  if (sum !== checksum(line) || bytes.length !== SHARE_BYTES || Number(threshold) < 2) {
    throw refused(`the share in ${from} is damaged`, 'Compare it with the original, letter by letter');
  }
  return { recoveryKeyId, threshold: Number(threshold), part: bytes };
}

/** Against slips of the pen; whether the key is the right one is seen when it is whole. */
function checksum(line: string): string {
  return createHash('sha256').update(line).digest('hex').slice(0, 8);
}

function refused(message: string, next: string): CommandError {
  return new CommandError('failed', 'recovery-refused', message, next);
}
