/** A file of a buffer: its place in the order, its name, what it takes of the bound. */
export interface BufferFile {
  readonly number: number;
  readonly name: string;
  readonly bytes: number;
}

const NAME = /^(\d{16})-[0-9a-f-]{36}\.ndjson$/;
const BLOCK = 4_096;

export function bufferFileName(number: number, id: string): string {
  return `${String(number).padStart(16, '0')}-${id}.ndjson`;
}

/** Undefined for a file that is not one of a buffer. */
export function bufferFile(name: string, contentBytes: number): BufferFile | undefined {
  const number = NAME.exec(name)?.[1];
  return number === undefined ? undefined : { number: Number(number), name, bytes: sizeOnDisk(contentBytes) };
}

export function isUnfinished(name: string): boolean {
  return name.endsWith('.ndjson.unfinished');
}

/** Disks give space by the block: a bound that counts bytes alone would be exceeded by many small files. */
export function sizeOnDisk(contentBytes: number): number {
  return Math.max(1, Math.ceil(contentBytes / BLOCK)) * BLOCK;
}
