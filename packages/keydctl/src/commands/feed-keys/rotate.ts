import { KEY_PURPOSES, type KeyPurpose } from '@sigv4-keyd/revocation';
import { z } from 'zod';
import { usageError } from '../../command-line/command-error.js';
import { defineCommand } from '../../command-line/define-command.js';
import { feedKeysFolder } from '../../feed-keys/feed-keys-folder.js';
import { addFeedKey, type Rotation } from '../../feed-keys/rotate-feed-key.js';
import { facts } from '../../presentation/table.js';
import { FEED_KEYS_FOLDER, folderPositional } from './folder-argument.js';

export const rotate = defineCommand({
  name: 'rotate',
  summary: 'make a key that takes over from one; tells what to distribute in which order',
  description:
    'Makes a new key of one purpose and adds its public half to feed-keys.json: old and new are then believed side ' +
    'by side. The order in which they are distributed matters, and is told: who gets a document signed by a key that ' +
    'it does not know refuses it.',
  positionals: [['<purpose>', `which key: ${KEY_PURPOSES.join(', ')}`], folderPositional],
  options: z.strictObject({}),
  examples: ['keydctl feed-keys rotate beacon', 'keydctl feed-keys rotate root ./offline/feed-keys'],
  async run({ positionals: [word = '', folder = FEED_KEYS_FOLDER] }) {
    const purpose = KEY_PURPOSES.find((known) => known === word);
    if (purpose === undefined) throw usageError('there is no such purpose', `Give one of: ${KEY_PURPOSES.join(', ')}`);
    const made = await addFeedKey(folder, purpose);
    const steps = stepsOf(made, feedKeysFolder(folder)[purpose]);
    return {
      document: { ...made, steps },
      text: (paint) =>
        [
          facts(paint, [
            ['new key', `${paint.bold(made.kid)} (${purpose})`],
            ['private key', made.file],
            ['public keys', made.public],
          ]),
          'In this order:',
          steps.map((step, at) => `  ${at + 1}. ${step}`).join('\n'),
        ].join('\n\n'),
    };
  },
});

/** When the old key may go: once nothing that it signed is needed any more. */
const OLD_IS_NEEDED_UNTIL: Readonly<Record<KeyPurpose, string>> = {
  beacon: 'Once every edge believes beacons of the new key (keydctl status, a minute later: its feed is seconds old)',
  revocation: 'Once no revocation that the old key signed is kept any more (keydctl revocation list)',
  root: 'Once no revocation that a lift of the old key took back is kept any more (keydctl revocation list)',
};

function stepsOf({ purpose, before, file, public: publicKeys }: Rotation, current: string): readonly string[] {
  const takeOver =
    purpose === 'root'
      ? `Move ${file} offline, to where root.jwk is; sign lifts with it from now on.`
      : `Then put ${file} in place of ${current} at each master, and restart it.`;
  return [
    `Copy ${publicKeys} to every edge, then to every region, then to every master, and restart each.`,
    takeOver,
    `${OLD_IS_NEEDED_UNTIL[purpose]}: ${before.map((kid) => `keydctl feed-keys retire ${kid}`).join(', ')}, and copy ${publicKeys} as before.`,
  ];
}
