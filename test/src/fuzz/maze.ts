/** Hides its end behind three letters, each one step on: a search that sees no coverage has to guess all of them. */
export function walk(text: string): void {
  if (text.at(0) !== 'm') return;
  if (text.at(1) !== 'a') return;
  if (text.at(2) !== 'z') return;
  throw new Error('the end of the maze');
}

/** Compares each letter with each other one. */
export function comparePairs(text: string): number {
  let same = 0;
  for (const one of text) {
    for (const other of text) {
      if (one === other) same += 1;
    }
  }
  return same;
}

/** Believes a number that it is told. */
export function makeRoom(text: string): Buffer {
  return Buffer.alloc(/^[0-9]{1,8}$/.test(text) ? Number(text) : 0);
}
