import { z } from 'zod';
import { CHOSEN_ACCESS_KEYS, choiceOptions, runChange } from '../../access-key/run-change.js';
import { defineCommand } from '../../command-line/define-command.js';
import { connectionOptions } from '../../master/connection-options.js';

const effect = 'Its requests are served again: tiers fetch its keys anew with the first of them.';

export const enable = defineCommand({
  name: 'enable',
  summary: 'serve the requests of disabled access keys again',
  description: effect,
  positionals: CHOSEN_ACCESS_KEYS,
  options: z.strictObject({ ...choiceOptions, ...connectionOptions }),
  examples: ['keydctl access-key enable AKIAIOSFODNN7EXAMPLE', 'keydctl access-key enable --owner ci'],
  run: (call) => runChange(call, { change: { kind: 'enable' }, effect, ofOwner: 'disabled' }),
});
