import { CONSOLE_PATH, readConsoleFiles } from '@sigv4-keyd/console';
import type { Cancel, Clock } from '@sigv4-keyd/hop-protocol';
import { CommandError } from '../command-line/command-error.js';
import { createConsoleApp, type ConsoleAppOptions } from './console-app.js';
import { ConsoleSession } from './console-session.js';

export interface RunningConsole {
  /** Good once. The token is in the fragment, which no browser sends and no log has. */
  readonly link: string;
  /** Resolves when nobody has used it for `idleMs`. */
  readonly idle: Promise<void>;
  readonly close: () => Promise<void>;
}

const LOOPBACK = '127.0.0.1';

/** Serves the console on the loopback interface. Port 0: any that is free. */
export async function startConsole(options: {
  readonly master: ConsoleAppOptions['master'];
  readonly port: number;
  readonly clock: Clock;
  readonly idleMs: number;
}): Promise<RunningConsole> {
  const { master, port, clock, idleMs } = options;
  const session = new ConsoleSession();
  const { promise: idle, resolve: end } = withResolvers();
  let cancel: Cancel = () => undefined;
  const onUse = (): void => {
    cancel();
    cancel = clock.after(idleMs, end);
  };
  let host = '';
  const app = createConsoleApp({ files: await readConsoleFiles(), master, session, host: () => host, onUse });
  host = new URL(await listen(() => app.listen({ host: LOOPBACK, port }), port)).host;
  onUse();
  return {
    link: `http://${host}${CONSOLE_PATH}#${session.token}`,
    idle,
    async close() {
      cancel();
      await app.close();
    },
  };
}

async function listen(bind: () => Promise<string>, port: number): Promise<string> {
  try {
    return await bind();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    throw new CommandError(
      'failed',
      'port-taken',
      `port ${port} cannot be had (${code})`,
      'Choose another with --port',
    );
  }
}

function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
