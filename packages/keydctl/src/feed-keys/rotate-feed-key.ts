import { placeFiles } from '@sigv4-keyd/pki';
import {
  createFeedKey,
  publicJwk,
  type KeyPurpose,
  type PinnedKey,
  type PinnedKeys,
  type PublicFeedJwk,
} from '@sigv4-keyd/revocation';
import { z } from 'zod';
import { CommandError } from '../command-line/command-error.js';
import { feedKeysFolder, privateFile, publicFile } from './feed-keys-folder.js';
import { findFeedKeys, nextKeyFile, readPublicKeys } from './read-feed-keys.js';

export interface Rotation {
  readonly purpose: KeyPurpose;
  /** The key that will take over. */
  readonly kid: string;
  /** Those of the purpose that there are already: to be retired when it has taken over. */
  readonly before: readonly string[];
  readonly file: string;
  readonly public: string;
}

/** Makes the key that will take over, and adds it to the public keys: both are believed until the old is retired. */
export async function addFeedKey(folder: string, purpose: KeyPurpose): Promise<Rotation> {
  const pinned = await readPublicKeys(folder);
  const key = await createFeedKey(purpose);
  const [file, { public: publicKeys }] = [nextKeyFile(folder, purpose), feedKeysFolder(folder)];
  await placeFiles([privateFile(file, key)], 'new');
  await placeFiles([publicFile(publicKeys, { keys: [...jwksOf(pinned), publicJwk(key)] })], 'replacing');
  const before = [...pinned.values()].filter((one) => one.purpose === purpose).map(({ kid }) => kid);
  return { purpose, kid: key.kid, before, file, public: publicKeys };
}

/** Takes a key out of the public keys. @throws CommandError for the last of its purpose, and for one still in use */
export async function retireFeedKey(folder: string, kid: string): Promise<PinnedKey> {
  const pinned = await readPublicKeys(folder);
  const retired = pinned.get(kid);
  if (retired === undefined) {
    throw new CommandError('failed', 'not-found', 'there is no public key of this id', 'See keydctl feed-keys show');
  }
  if ((await findFeedKeys(folder)).some((key) => key.kid === kid && key.file !== undefined)) {
    const message = `the private half of ${kid} is here: it may still sign`;
    throw new CommandError('failed', 'in-use', message, 'Put the key that takes over in its place first');
  }
  const left = [...pinned.values()].filter((key) => key.kid !== kid);
  if (!left.some(({ purpose }) => purpose === retired.purpose)) {
    const message = `${kid} is the only ${retired.purpose} key: nothing of that kind would be believed any more`;
    throw new CommandError('failed', 'last-key', message, 'Rotate first: keydctl feed-keys rotate');
  }
  const { public: publicKeys } = feedKeysFolder(folder);
  await placeFiles([publicFile(publicKeys, { keys: left.map(jwkOf) })], 'replacing');
  return retired;
}

function jwksOf(pinned: PinnedKeys): readonly PublicFeedJwk[] {
  return [...pinned.values()].map(jwkOf);
}

function jwkOf({ kid, purpose, publicKey }: PinnedKey): PublicFeedJwk {
  const x = z.string().parse(publicKey.export({ format: 'jwk' }).x);
  return { kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', kid, keyd_purpose: purpose, x };
}
