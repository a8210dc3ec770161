import { join } from 'node:path';
import { createSignerKey } from '@sigv4-keyd/hop-protocol';
import { placeFiles } from '@sigv4-keyd/pki';
import { z } from 'zod';
import { defineCommand } from '../../command-line/define-command.js';
import { option } from '../../command-line/option.js';
import { facts } from '../../presentation/table.js';

const FOLDER = 'signer-key';

export const signerKey = defineCommand({
  name: 'signer-key',
  summary: 'make the key that an external signer opens the seals of secrets with',
  description:
    'Makes an X25519 key: signer.jwk for the signers alone, and signer.pub.jwk with its public half for the masters, ' +
    'which seal with it. Nothing that is there is overwritten. Keep a copy of signer.jwk where no machine reads it: ' +
    'without it the secrets are gone.',
  options: z.strictObject({
    out: option(z.string().min(1, 'must name a folder').default(FOLDER), {
      value: 'folder',
      about: `where to put them; default ${FOLDER}`,
    }),
  }),
  examples: ['keydctl custody signer-key', 'keydctl custody signer-key --out ./keys'],
  async run({ options }) {
    const made = createSignerKey();
    const files = { private: join(options.out, 'signer.jwk'), public: join(options.out, 'signer.pub.jwk') };
    // The public key last: where it is, the private one is whole.
    await placeFiles(
      [
        { file: files.private, contents: `${made.privateJwk}\n`, mode: 0o600 },
        { file: files.public, contents: `${made.publicJwk}\n`, mode: 0o644 },
      ],
      'new',
    );
    return {
      document: { signerKey: made.id, ...files },
      text: (paint) =>
        facts(paint, [
          ['signer key', paint.bold(made.id)],
          ['opens seals', `${files.private} (signers: KEYD_SIGNER_KEY_FILE)`],
          ['seals', `${files.public} (masters: KEYD_SIGNER_KEY_FILE)`],
        ]),
    };
  },
});
