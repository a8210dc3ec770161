import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What a shell calls a program that ended for this. */
export function exitCodeOf(signal: (typeof SIGNALS)[number]): number {
  return 128 + constants.signals[signal];
}

/** Told of the first signal to end; a second one ends this process at once. */
export function onInterruption(listener: (signal: (typeof SIGNALS)[number]) => void): void {
  const first = (signal: NodeJS.Signals): void => {
    for (const name of SIGNALS) process.off(name, first);
    const known = SIGNALS.find((name) => name === signal);
    if (known !== undefined) listener(known);
  };
  for (const name of SIGNALS) process.on(name, first);
}
