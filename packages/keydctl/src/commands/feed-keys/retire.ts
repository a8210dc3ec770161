import { z } from 'zod';
import { defineCommand } from '../../command-line/define-command.js';
import { feedKeysFolder } from '../../feed-keys/feed-keys-folder.js';
import { retireFeedKey } from '../../feed-keys/rotate-feed-key.js';
import { facts } from '../../presentation/table.js';
import { FEED_KEYS_FOLDER, folderPositional } from './folder-argument.js';

export const retire = defineCommand({
  name: 'retire',
  summary: 'take a key out of the public keys, after another has taken over',
  description:
    'Takes a key out of feed-keys.json. What it signed is refused wherever the file is copied to: statements that ' +
    'are still kept must have been signed by a key that stays.',
  positionals: [['<key-id>', 'which key, as keydctl feed-keys show names it'], folderPositional],
  options: z.strictObject({}),
  examples: ['keydctl feed-keys retire DB4Qm5kvqSYxanLnI37qmQgUje_kxEHUkUmep-2MyJU'],
  async run({ positionals: [kid = '', folder = FEED_KEYS_FOLDER] }) {
    const { purpose } = await retireFeedKey(folder, kid);
    const { public: file } = feedKeysFolder(folder);
    return {
      document: { retired: kid, purpose, public: file },
      text: (paint) =>
        facts(paint, [
          ['retired', `${paint.bold(kid)} (${purpose})`],
          ['public keys', file],
          ['next', 'copy them to every edge, region and master, and restart each'],
        ]),
    };
  },
});
