import { z } from 'zod';
import { defineCommand } from '../../command-line/define-command.js';
import { findFeedKeys } from '../../feed-keys/read-feed-keys.js';
import { table } from '../../presentation/table.js';
import { FEED_KEYS_FOLDER, folderPositional } from './folder-argument.js';

export const show = defineCommand({
  name: 'show',
  summary: 'show which keys a folder has, public and private',
  positionals: [folderPositional],
  options: z.strictObject({}),
  examples: ['keydctl feed-keys show', 'keydctl feed-keys show /etc/keyd/feed-keys --json'],
  async run({ positionals: [folder = FEED_KEYS_FOLDER] }) {
    const keys = await findFeedKeys(folder);
    return {
      document: { folder, keys },
      text: (paint) =>
        table(
          paint,
          ['purpose', 'key id', 'public', 'private half', 'state'],
          keys.map(({ purpose, kid, pinned, file, exposed }) => [
            purpose,
            kid,
            pinned ? 'yes' : paint.red('no: nobody believes it'),
            file ?? 'not here',
            exposed ? paint.red('others may read it: chmod 600') : paint.green('ok'),
          ]),
        ),
    };
  },
});
