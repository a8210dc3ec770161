import type { PinnedKeys } from '@sigv4-keyd/revocation';
import type { EcdsaPublicKey } from '@sigv4-keyd/sigv4-core';
import { KeydError } from '../errors.js';
import type { IssuedKey, KeySource } from '../key-source.js';
import { isAttested, type AttestedPublicKey } from './attested-public-key.js';

export interface AttestedOnlyOptions {
  readonly region: string;
  readonly pinned: PinnedKeys;
  /** Told of each access key whose public key no pinned key attests. */
  readonly onRefused: (accessKeyId: string) => void;
}

/**
 * Takes public keys from a region for what the master says that they are. An answer with one that the master has not
 * attested, for this region, day and access key with these facts, is believed in no part.
 */
export function attestedOnly(
  parent: KeySource<AttestedPublicKey>,
  { region, pinned, onRefused }: AttestedOnlyOptions,
): KeySource<EcdsaPublicKey> {
  return {
    async issue(request, requestId) {
      const { issued, absent } = await parent.issue(request, requestId);
      const believed = new Map<string, IssuedKey<EcdsaPublicKey>>();
      for (const [accessKeyId, { facts, key }] of issued) {
        if (!isAttested(key, { region, date: request.date, facts }, pinned)) {
          onRefused(accessKeyId);
          throw notAttested(accessKeyId);
        }
        believed.set(accessKeyId, { facts, key: key.publicKey });
      }
      return { issued: believed, absent };
    },
  };
}

function notAttested(accessKeyId: string): KeydError {
  const what = `the parent answered a public key of ${accessKeyId} that no pinned key attests`;
  return new KeydError('parent-unavailable', { cause: new Error(what) });
}
