import type { Custody, Resealing, SealedSecret } from './custody.js';
import type { FileCustody } from './file-custody.js';
import { NAMED_KEY, sealPrefix, UNNAMED_KEY } from './seal-prefix.js';

/**
 * Another keeper that opens what the keeper with a key file sealed, too, until all of that is sealed anew. Until then a
 * secret is in this process's memory whenever it is used, as it is with a key file.
 */
export function movingFromFile(keeper: Custody & Resealing, file: FileCustody): Custody & Resealing {
  const keeperOf = ({ sealed }: SealedSecret): Custody => (isFromFile(sealed) ? file : keeper);
  return {
    seal: (name, secretAccessKey) => keeper.seal(name, secretAccessKey),
    kDate: (secret, date) => keeperOf(secret).kDate(secret, date),
    ecdsaPublicKey: (secret) => keeperOf(secret).ecdsaPublicKey(secret),
    sealsWith: keeper.sealsWith,
    reads: [...keeper.reads, ...file.reads],
    prefix: keeper.prefix,
    readablePrefixes: [...keeper.readablePrefixes, ...file.readablePrefixes],
    async reseal(secret) {
      if (!isFromFile(secret.sealed)) return keeper.reseal(secret);
      const plaintext = file.opened(secret);
      try {
        return await keeper.seal(secret, plaintext.toString('utf8'));
      } finally {
        plaintext.fill(0);
      }
    },
  };
}

function isFromFile(sealed: Buffer): boolean {
  const layout = sealPrefix(sealed)?.layout;
  return layout === UNNAMED_KEY || layout === NAMED_KEY.file;
}
