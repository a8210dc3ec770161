import { systemClock } from '@sigv4-keyd/hop-protocol';
import { z } from 'zod';
import { span } from '../arguments/span.js';
import { defineCommand } from '../command-line/define-command.js';
import { option } from '../command-line/option.js';
import { write } from '../command-line/write-outcome.js';
import { startConsole } from '../console/start-console.js';
import { connectionOptions, tlsFilesOf } from '../master/connection-options.js';
import { withMaster } from '../master/with-master.js';

const port = z
  .string()
  .regex(/^\d{1,5}$/, 'must be a port number')
  .transform(Number)
  .refine((number) => number < 65_536, 'must be a port number');

export const consoleCommand = defineCommand({
  name: 'console',
  summary: 'serve the console to a browser on this machine, until Ctrl-C',
  description:
    'Serves the console on 127.0.0.1 and asks the master with the certificate of the operator, so that no browser ' +
    'needs one. The link that it prints is good once; it is not handed to a program, as every user of a machine can ' +
    'read the arguments of all programs.',
  options: z.strictObject({
    port: option(port.prefault('0'), { value: 'number', about: 'port to listen on (default: any that is free)' }),
    idle: option(span.prefault('30m'), { value: 'span', about: 'end after so long without use (default: 30m)' }),
    ...connectionOptions,
  }),
  examples: ['keydctl console', 'keydctl console --port 8500 --idle 8h'],
  run({ options, surroundings }) {
    const address = { url: options.master, files: tlsFilesOf(options) };
    return withMaster(address, surroundings.now(), async (master) => {
      const interruption = surroundings.interruption();
      const running = await startConsole({ master, port: options.port, clock: systemClock, idleMs: options.idle });
      try {
        await write(
          surroundings.errorOutput,
          `Open ${running.link}\nThe link is good once. Ctrl-C ends the console.\n`,
        );
        const endedBy = await Promise.race([
          running.idle.then(() => 'idle' as const),
          aborted(interruption).then(() => 'interruption' as const),
        ]);
        return {
          document: { endedBy },
          text: () =>
            endedBy === 'idle' ? 'Nobody used the console for a while: it has ended.' : 'The console has ended.',
        };
      } finally {
        await running.close();
      }
    });
  },
});

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
