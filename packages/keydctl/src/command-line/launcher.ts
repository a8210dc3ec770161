const LOOK_EVERY_MS = 250;

/**
 * Calls `onEnd` when npm, which started this process, is gone: a kill -9 of npm reaches only npm, and its SIGTERM may
 * end no more than the shell that it ran this process in. Does nothing when started otherwise, since a shell may end
 * before what it started.
 */
export function whenNpmEnds(env: NodeJS.ProcessEnv, onEnd: () => void): void {
  if (env['npm_lifecycle_event'] === undefined) return;
  const launcher = process.ppid;
  const look = setInterval(() => {
    if (process.ppid === launcher) return;
    clearInterval(look);
    onEnd();
  }, LOOK_EVERY_MS);
  look.unref();
}
