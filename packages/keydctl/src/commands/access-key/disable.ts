import { z } from 'zod';
import { CHOSEN_ACCESS_KEYS, choiceOptions, runChange } from '../../access-key/run-change.js';
import { defineCommand } from '../../command-line/define-command.js';
import { connectionOptions } from '../../master/connection-options.js';

const effect = 'No tier gets keys for it any more, and the keys that tiers hold are wiped: its requests are refused.';

export const disable = defineCommand({
  name: 'disable',
  summary: 'refuse the requests of access keys until they are enabled again',
  description: effect,
  positionals: CHOSEN_ACCESS_KEYS,
  options: z.strictObject({ ...choiceOptions, ...connectionOptions }),
  examples: [
    'keydctl access-key disable AKIAIOSFODNN7EXAMPLE',
    'keydctl access-key disable --owner "Backups of Berlin" --dry-run',
  ],
  run: (call) => runChange(call, { change: { kind: 'disable' }, effect, ofOwner: 'enabled' }),
});
