/**
 * The command, with these NODE_OPTIONS and no others. The test runner puts a loader of its own into those of every
 * child process, which one under Node's permission model may not load; env(1) comes after it, and becomes the child.
 */
export function withNodeOptions(options: string, command: readonly string[]): readonly [string, ...string[]] {
  return ['env', `NODE_OPTIONS=${options}`, ...command];
}
