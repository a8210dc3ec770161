import { existsSync, readFileSync } from 'node:fs';

/** Ids of the processes that a process has started and that are there still. */
export function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

export function isThere(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}
