import type { NeededAccess } from './needed-access.js';

/** The options that start Node.js under its permission model: with this access, and no other. */
export function permissionOptions({ read, write, ownProcesses, nativeCode }: NeededAccess): readonly string[] {
  // Node.js 20 has it as an experiment.
  const isStable = process.allowedNodeEnvironmentFlags.has('--permission');
  return [
    isStable ? '--permission' : '--experimental-permission',
    ...read.map((path) => `--allow-fs-read=${path}`),
    ...write.map((path) => `--allow-fs-write=${path}`),
    ...(ownProcesses ? ['--allow-child-process'] : []),
    ...(nativeCode ? ['--allow-addons'] : []),
  ];
}

/** Of the options of a process, those that say nothing about permissions. */
export function withoutPermissions(options: readonly string[]): readonly string[] {
  return options.filter((option) => !/^--(?:(?:experimental-)?permission$|allow-)/.test(option.replaceAll('_', '-')));
}

/** Whether this process runs under it. */
export function isConfined(): boolean {
  // @types/node has it always; without the option there is none.
  return Reflect.has(process, 'permission');
}
