import { z } from 'zod';
import { CHOSEN_ACCESS_KEYS, choiceOptions, runChange } from '../../access-key/run-change.js';
import { defineCommand } from '../../command-line/define-command.js';
import { flag } from '../../command-line/option.js';
import { connectionOptions } from '../../master/connection-options.js';

const effect =
  'The secret is wiped for good, the keys that tiers hold are wiped, and requests are refused. The id stays in the ' +
  'records and never returns.';

export const deleteForGood = defineCommand({
  name: 'delete',
  summary: 'wipe the secrets of access keys for good',
  description: effect,
  positionals: CHOSEN_ACCESS_KEYS,
  options: z.strictObject({ ...choiceOptions, yes: flag('do not ask for confirmation'), ...connectionOptions }),
  examples: [
    'keydctl access-key delete AKIAIOSFODNN7EXAMPLE',
    'keydctl access-key delete --owner "Backups of Berlin" --yes',
  ],
  run: (call) => runChange(call, { change: { kind: 'delete' }, effect, question }, call.options.yes),
});

function question(ids: readonly string[]): string {
  const [only] = ids;
  return ids.length === 1 && only
    ? `Delete access key ${only} for good?`
    : `Delete ${ids.length} access keys for good?`;
}
