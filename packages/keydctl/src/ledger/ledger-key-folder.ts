import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ledgerOrigin } from '@sigv4-keyd/hop-protocol';
import { formatSignerKey, noteSigner, SEED_BYTES } from '@sigv4-keyd/ledger';
import { placeFiles } from '@sigv4-keyd/pki';

/** The files of a folder with the key of the ledger. */
export interface LedgerKeyFolder {
  /** Signs checkpoints; for the masters. 0600. */
  readonly signer: string;
  /** What every region and edge, and the operator, checks checkpoints against. */
  readonly verifier: string;
}

export function ledgerKeyFolder(folder: string): LedgerKeyFolder {
  return { signer: join(folder, 'ledger.key'), verifier: join(folder, 'ledger.pub') };
}

/**
 * Makes the key pair of the ledger of a trust domain.
 * @throws PkiError `exists`: nothing that is there is overwritten
 */
export async function createLedgerKey(folder: string, trustDomain: string): Promise<LedgerKeyFolder> {
  const files = ledgerKeyFolder(folder);
  const origin = ledgerOrigin(trustDomain);
  const seed = randomBytes(SEED_BYTES);
  try {
    // The public key last: where it is, the private one is whole.
    await placeFiles(
      [
        { file: files.signer, contents: `${formatSignerKey(origin, seed)}\n`, mode: 0o600 },
        { file: files.verifier, contents: `${noteSigner(origin, seed).verifierKey}\n`, mode: 0o644 },
      ],
      'new',
    );
  } finally {
    seed.fill(0);
  }
  return files;
}
