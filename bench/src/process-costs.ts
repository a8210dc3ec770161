import { readFileSync } from 'node:fs';

/** What a process took so far, as the kernel of Linux counts it (proc(5)). */
export interface ProcessCosts {
  /** User and system, seconds, in ticks of 10 ms. */
  readonly cpuSeconds: number;
  /** Through read and write, files and sockets alike. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Memory that is in use now, bytes. */
  readonly residentBytes: number;
}

export function costsOf(pid: number): ProcessCosts {
  const read = (file: string): string => readFileSync(`/proc/${pid}/${file}`, 'utf8');
  const stat = read('stat');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const counted = (text: string, name: string): number => {
    return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  };
  const io = read('io');
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
    bytesRead: counted(io, 'rchar'),
    bytesWritten: counted(io, 'wchar'),
    residentBytes: counted(read('status'), 'VmRSS') * 1024,
  };
}
