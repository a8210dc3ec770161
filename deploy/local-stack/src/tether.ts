/**
 * Loaded before a service (`node --import`): ties its life to that of the process that started it. The channel to that
 * process closes when it ends, by kill -9, too; then this one stops as it would on SIGTERM.
 */
const LONGEST_STOP_MS = 8_000;

function stop(): void {
  process.kill(process.pid, 'SIGTERM');
  setTimeout(() => process.exit(1), LONGEST_STOP_MS).unref();
}

if (process.connected) {
  process.once('disconnect', stop);
  // Listening for the end must not keep a process alive that has nothing else to do.
  process.channel?.unref();
} else {
  stop();
}
