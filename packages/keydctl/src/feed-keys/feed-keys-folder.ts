import { join } from 'node:path';
import { placeFiles, type FileToPlace } from '@sigv4-keyd/pki';
import { createFeedKey, exportFeedKey, publicJwks, type FeedJwks, type FeedKey } from '@sigv4-keyd/revocation';

/** The files of a folder with the keys of the feed. */
export interface FeedKeysFolder {
  /** Signs revocations; for the masters. 0600. */
  readonly revocation: string;
  /** Signs beacons; for the masters. 0600. */
  readonly beacon: string;
  /** Signs lifts; to be moved offline. 0600. */
  readonly root: string;
  /** The public keys of all three: what every master, region and edge pins. */
  readonly public: string;
}

export function feedKeysFolder(folder: string): FeedKeysFolder {
  return {
    revocation: join(folder, 'revocation.jwk'),
    beacon: join(folder, 'beacon.jwk'),
    root: join(folder, 'root.jwk'),
    public: join(folder, 'feed-keys.json'),
  };
}

/**
 * Makes a key for each purpose and the file of their public keys.
 * @throws PkiError `exists`: nothing that is there is overwritten
 */
export async function createFeedKeys(folder: string): Promise<FeedKeysFolder> {
  const files = feedKeysFolder(folder);
  const [revocation, beacon, root] = await Promise.all([
    createFeedKey('revocation'),
    createFeedKey('beacon'),
    createFeedKey('root'),
  ]);
  // The public keys last: where they are, the private ones are whole.
  await placeFiles(
    [
      privateFile(files.revocation, revocation),
      privateFile(files.beacon, beacon),
      privateFile(files.root, root),
      publicFile(files.public, publicJwks([revocation, beacon, root])),
    ],
    'new',
  );
  return files;
}

export function privateFile(file: string, key: FeedKey): FileToPlace {
  return { file, contents: `${JSON.stringify(exportFeedKey(key), undefined, 2)}\n`, mode: 0o600 };
}

export function publicFile(file: string, jwks: FeedJwks): FileToPlace {
  return { file, contents: `${JSON.stringify(jwks, undefined, 2)}\n`, mode: 0o644 };
}
