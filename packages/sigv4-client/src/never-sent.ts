import type { Dispatcher } from 'undici';

/** What stands for the connection of a request that never had one. */
export function neverSent(reason: Error): Dispatcher.DispatchController {
  const nothing = (): void => undefined;
  return { aborted: true, paused: false, reason, abort: nothing, pause: nothing, resume: nothing };
}
