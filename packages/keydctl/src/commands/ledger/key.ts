import { z } from 'zod';
import { trustDomain } from '../../arguments/identity.js';
import { defineCommand } from '../../command-line/define-command.js';
import { option } from '../../command-line/option.js';
import { createLedgerKey } from '../../ledger/ledger-key-folder.js';
import { facts } from '../../presentation/table.js';

const LEDGER_KEY_FOLDER = 'ledger-key';

export const key = defineCommand({
  name: 'key',
  summary: 'make the key that signs the checkpoints of the ledger',
  description:
    'Makes an Ed25519 key: ledger.key for the masters, and ledger.pub with its public half for every region and ' +
    'edge, and for keydctl ledger verify. Nothing that is there is overwritten.',
  options: z.strictObject({
    trustDomain: option(trustDomain, { value: 'domain', about: 'SPIFFE trust domain whose ledger it is' }),
    out: option(z.string().min(1, 'must name a folder').default(LEDGER_KEY_FOLDER), {
      value: 'folder',
      about: `where to put them; default ${LEDGER_KEY_FOLDER}`,
    }),
  }),
  examples: ['keydctl ledger key --trust-domain keyd.local', 'keydctl ledger key --trust-domain keyd.local --out ./k'],
  async run({ options }) {
    const files = await createLedgerKey(options.out, options.trustDomain);
    return {
      document: files,
      text: (paint) =>
        facts(paint, [
          ['signs checkpoints', `${files.signer} (masters: KEYD_LEDGER_KEY_FILE)`],
          ['checks checkpoints', `${files.verifier} (regions and edges: KEYD_LEDGER_KEYS_FILE; --ledger-key)`],
        ]),
    };
  },
});
