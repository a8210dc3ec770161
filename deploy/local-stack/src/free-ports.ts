import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { StackError } from './stack-error.js';

export interface PortsToCheck {
  readonly ports: ReadonlyMap<number, string>;
  /** How long ports may take to become free, milliseconds: the processes of a killed run end within moments. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
}

/** Resolves when every port can be listened on. @throws StackError that names the first that cannot */
export async function requireFreePorts({ ports, patienceMs, signal }: PortsToCheck): Promise<void> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const taken = await firstTaken(ports);
    if (taken === undefined) return;
    if (Date.now() >= deadline) {
      throw new StackError(
        `port ${taken.port}, for ${taken.use}, cannot be used (${taken.why}). ` +
          'Free it, or choose other ports: npm start -- --port-base 17400',
      );
    }
    await pause(50, undefined, { signal });
  }
}

interface Taken {
  readonly port: number;
  readonly use: string;
  readonly why: string;
}

async function firstTaken(ports: ReadonlyMap<number, string>): Promise<Taken | undefined> {
  for (const [port, use] of ports) {
    const why = await whyTaken(port);
    if (why !== undefined) return { port, use, why };
  }
  return undefined;
}

async function whyTaken(port: number): Promise<string | undefined> {
  const probe = createServer();
  try {
    probe.listen(port, '127.0.0.1');
    await once(probe, 'listening');
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return code === 'EADDRINUSE' ? 'another program listens on it' : code;
  } finally {
    probe.close();
  }
}
