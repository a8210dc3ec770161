import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { publicHalfOf, RECOVERY_KEY_BYTES, recoveryPrivateKey } from '@sigv4-keyd/hop-protocol';
import { placeFiles } from '@sigv4-keyd/pki';
import { splitRecoveryKey } from './recovery-share.js';

export interface CreatedRecoveryKey {
  readonly recoveryKey: string;
  /** For the masters: the public half. */
  readonly public: string;
  /** One for each keeper of a share. */
  readonly shares: readonly string[];
  readonly threshold: number;
}

/**
 * Makes a recovery key, of which only the shares and the public half are ever written.
 * @throws PkiError `exists`: nothing that is there is overwritten
 */
export async function createRecoveryKey(
  folder: string,
  wanted: { readonly shares: number; readonly threshold: number },
): Promise<CreatedRecoveryKey> {
  const secret = randomBytes(RECOVERY_KEY_BYTES);
  try {
    const { id, bytes } = publicHalfOf(recoveryPrivateKey(secret));
    const lines = await splitRecoveryKey(secret, id, wanted);
    const shares = lines.map((line, index) => ({
      file: join(folder, `share-${index + 1}.txt`),
      contents: `${line}\n`,
      mode: 0o600 as const,
    }));
    const publicFile = join(folder, 'recovery.pub');
    // The public half last: where it is, the shares are whole.
    const all = [...shares, { file: publicFile, contents: `${bytes.toString('base64')}\n`, mode: 0o644 as const }];
    await placeFiles(all, 'new');
    return {
      recoveryKey: id,
      public: publicFile,
      shares: shares.map(({ file }) => file),
      threshold: wanted.threshold,
    };
  } finally {
    secret.fill(0);
  }
}
