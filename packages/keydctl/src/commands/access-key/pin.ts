import type { AccessKeyPinAction } from '@sigv4-keyd/hop-protocol';
import { z } from 'zod';
import { accessKeyIdsOf } from '../../arguments/access-key-id.js';
import { defineCommand, type Install } from '../../command-line/define-command.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { accessKeyTable } from '../../presentation/access-keys.js';

const SUMMARIES = {
  pin: 'have every tier of their scope fetch the keys of access keys early, used there or not',
  unpin: 'leave it to use again whether keys are fetched early',
} as const satisfies Record<AccessKeyPinAction, string>;

const EFFECTS = {
  pin:
    'Regions and edges fetch the keys within the hour, and those of each new day in the afternoon before. ' +
    'They then verify the first request of such an access key with everything above them down.',
  unpin: 'Keys that are held stay until their days leave the window.',
} as const satisfies Record<AccessKeyPinAction, string>;

export const pin = switching('pin');
export const unpin = switching('unpin');

function switching(action: AccessKeyPinAction): Install {
  return defineCommand({
    name: action,
    summary: SUMMARIES[action],
    description: EFFECTS[action],
    positionals: [['<access-key-ids...>', 'which access keys: all of them are changed, or none']],
    options: z.strictObject(connectionOptions),
    examples: [`keydctl access-key ${action} AKIAIOSFODNN7EXAMPLE`],
    async run({ options, positionals, surroundings }) {
      const accessKeyIds = accessKeyIdsOf(positionals);
      const address = { url: options.master, files: tlsFilesOf(options) };
      const accessKeys = await withMaster(address, surroundings.now(), (master) => master.pin(action, accessKeyIds));
      return {
        document: { accessKeys },
        text: (paint) => `${accessKeyTable(paint, accessKeys)}\n\n${EFFECTS[action]}`,
      };
    },
  });
}
