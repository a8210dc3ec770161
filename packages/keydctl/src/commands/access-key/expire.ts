import type { WantedAccessKeyChange } from '@sigv4-keyd/hop-protocol';
import { z } from 'zod';
import { CHOSEN_ACCESS_KEYS, choiceOptions, runChange } from '../../access-key/run-change.js';
import { expiresAt, expiry } from '../../arguments/expiry.js';
import { span } from '../../arguments/span.js';
import { usageError } from '../../command-line/command-error.js';
import { defineCommand } from '../../command-line/define-command.js';
import { flag, option } from '../../command-line/option.js';
import { connectionOptions } from '../../master/connection-options.js';

const effect =
  'From that instant on its requests are refused, by the clock of each edge; nothing needs to be told then.';

const options = z.strictObject({
  at: option(expiry.optional(), { value: 'when', about: 'the instant: 2026-12-31 (UTC) or 2026-12-31T18:00:00Z' }),
  in: option(span.optional(), { value: 'span', about: 'so long from now: 30m, 24h, 90d' }),
  never: flag('it does not end any more'),
  ...choiceOptions,
  ...connectionOptions,
});

export const expire = defineCommand({
  name: 'expire',
  summary: 'change when access keys end',
  description: effect,
  positionals: CHOSEN_ACCESS_KEYS,
  options,
  examples: [
    'keydctl access-key expire AKIAIOSFODNN7EXAMPLE --in 24h',
    'keydctl access-key expire --owner ci --at 2026-12-31',
    'keydctl access-key expire AKIAIOSFODNN7EXAMPLE --never',
  ],
  run: (call) =>
    runChange(call, {
      change: changeOf(call.options, call.surroundings.now()),
      effect: call.options.never ? 'It does not end by itself any more.' : effect,
    }),
});

function changeOf({ at, in: inMs, never }: z.output<typeof options>, now: number): WantedAccessKeyChange {
  const given = [at !== undefined, inMs !== undefined, never].filter(Boolean).length;
  if (given !== 1) throw usageError('give one of --at, --in and --never', 'See keydctl access-key expire --help');
  if (at !== undefined) return { kind: 'expire', expiresAt: expiresAt(at, now, '--at') };
  return { kind: 'expire', expiresAt: inMs === undefined ? null : new Date(now + inMs).toISOString() };
}
