import { z } from 'zod';
import { defineCommand } from '../../command-line/define-command.js';
import { option } from '../../command-line/option.js';
import { createFeedKeys } from '../../feed-keys/feed-keys-folder.js';
import { facts } from '../../presentation/table.js';
import { FEED_KEYS_FOLDER } from './folder-argument.js';

export const create = defineCommand({
  name: 'create',
  summary: 'make the keys that sign revocations, beacons and lifts',
  description:
    'Makes three Ed25519 keys: revocation.jwk and beacon.jwk for the masters, root.jwk, which alone can lift a ' +
    'revocation and belongs offline, and feed-keys.json with their public halves for every master, region and edge. ' +
    'Nothing that is there is overwritten.',
  options: z.strictObject({
    out: option(z.string().min(1, 'must name a folder').default(FEED_KEYS_FOLDER), {
      value: 'folder',
      about: `where to put them; default ${FEED_KEYS_FOLDER}`,
    }),
  }),
  examples: ['keydctl feed-keys create', 'keydctl feed-keys create --out ./offline/feed-keys'],
  async run({ options }) {
    const files = await createFeedKeys(options.out);
    return {
      document: files,
      text: (paint) =>
        [
          facts(paint, [
            ['signs revocations', `${files.revocation} (masters: KEYD_REVOCATION_KEY_FILE)`],
            ['signs beacons', `${files.beacon} (masters: KEYD_BEACON_KEY_FILE)`],
            ['signs lifts', `${files.root} (move it offline now: no service takes it)`],
            ['public keys', `${files.public} (masters, regions and edges: KEYD_FEED_KEYS_FILE)`],
          ]),
          'Whoever has root.jwk can undo revocations. keydctl revocation lift sign is the one command that reads it.',
        ].join('\n\n'),
    };
  },
});
