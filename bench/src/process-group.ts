import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const LOOK_EVERY_MS = 20;
/** Services stop what they have under way first. */
const LONGEST_STOP_MS = 15_000;

/** Ends a group of processes, whoever of it is left. Resolves when all are gone. */
export async function endGroup(group: number): Promise<void> {
  signal(group, 'SIGTERM');
  const latest = performance.now() + LONGEST_STOP_MS;
  while (isAlive(group)) {
    if (performance.now() > latest) signal(group, 'SIGKILL');
    await pause(LOOK_EVERY_MS);
  }
}

/** Whether a process of the group still runs. */
export function isAlive(group: number): boolean {
  const states = statesOf(group);
  return states === undefined ? signal(group, 0) : states.some((state) => state !== 'Z');
}

/** False: the group has nobody. */
function signal(group: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, name);
  } catch {
    return false;
  }
}

/** Of each process of the group (proc(5)): one that has ended stays until somebody asks how. Undefined but on Linux. */
function statesOf(group: number): readonly string[] | undefined {
  if (process.platform !== 'linux') return undefined;
  return readdirSync('/proc').flatMap((name) => {
    const stat = /^\d+$/.test(name) ? statOf(name) : '';
    const [state = '', , ofGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return ofGroup === String(group) ? [state] : [];
  });
}

function statOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    // It ended meanwhile.
    return '';
  }
}
