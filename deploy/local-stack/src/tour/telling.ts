import type { Writable } from 'node:stream';
import picocolors from 'picocolors';

/** One thing that the story says and the stack must do. */
export interface Check {
  readonly what: string;
  readonly expected: string;
  readonly got: string;
  readonly asTold: boolean;
}

export interface Chapter {
  readonly title: string;
  /** What it means, for people. */
  readonly told: readonly string[];
  readonly checks: readonly Check[];
}

/** Tells the story while it happens, and keeps it. */
export interface Telling {
  chapter(title: string): void;
  say(...sentences: readonly string[]): void;
  check(what: string, expected: string, got: string): void;
  readonly chapters: readonly Chapter[];
  /** Whether every check so far came out as told. */
  readonly isAsTold: boolean;
}

/** `stream` absent: nothing is printed on the way. */
export function startTelling(stream: Writable | undefined, isTerminal: boolean): Telling {
  const paint = picocolors.createColors(isTerminal && (process.env['NO_COLOR'] ?? '') === '');
  const chapters: { title: string; told: string[]; checks: Check[] }[] = [];
  const current = (): (typeof chapters)[number] => {
    const last = chapters.at(-1);
    if (last === undefined) throw new Error('a story begins with a chapter');
    return last;
  };
  return {
    chapter(title) {
      chapters.push({ title, told: [], checks: [] });
      stream?.write(`\n${paint.bold(`${chapters.length}. ${title}`)}\n`);
    },
    say(...sentences) {
      current().told.push(...sentences);
      for (const sentence of sentences) stream?.write(`   ${sentence}\n`);
    },
    check(what, expected, got) {
      const asTold = got === expected;
      current().checks.push({ what, expected, got, asTold });
      const outcome = asTold ? paint.bold(got) : paint.red(`${got}, but it should be ${expected}`);
      stream?.write(`   ${asTold ? paint.green('✓') : paint.red('✗')} ${what}: ${outcome}\n`);
    },
    chapters,
    get isAsTold() {
      return chapters.every(({ checks }) => checks.every(({ asTold }) => asTold));
    },
  };
}
