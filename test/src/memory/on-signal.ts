// Loaded into a tier before its own code. SIGUSR2 collects all garbage, so that what is found afterwards is not merely
// waiting for it. SIGWINCH lets a month pass: the clock leaps, and with it
// what is done every minute.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');
process.on('SIGUSR2', () => {
  if (typeof collect === 'function') Reflect.apply(collect, undefined, []);
});

const MINUTE_MS = 60_000;
const MONTH_MS = 31 * 24 * 60 * MINUTE_MS;
const { now } = Date;
let passed = 0;
Date.now = () => now() + passed;
process.on('SIGWINCH', () => {
  passed = MONTH_MS;
});

const LOOKED_AT_EVERY_MS = 500;
const { setTimeout: wait } = globalThis;
/** Rings after a minute of the clock that leaps. */
const minuteOf = (task: (...args: readonly unknown[]) => void, args: readonly unknown[]): NodeJS.Timeout => {
  const due = Date.now() + MINUTE_MS;
  const timer = wait(() => {
    if (Date.now() < due) timer.refresh();
    else task(...args);
  }, LOOKED_AT_EVERY_MS);
  return timer;
};
const minded = (
  task: (...args: readonly unknown[]) => void,
  ms?: number,
  ...args: readonly unknown[]
): NodeJS.Timeout => (ms === MINUTE_MS ? minuteOf(task, args) : wait(task, ms, ...args));
Reflect.set(globalThis, 'setTimeout', minded);
