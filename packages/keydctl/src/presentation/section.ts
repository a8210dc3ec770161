import type { Paint } from '../command-line/outcome.js';

/** A title and what stands below it, for texts of several parts. */
export function section(paint: Paint, title: string, text: string): string {
  return `${paint.bold(title)}\n${text}`;
}

/** Sentences, one a line. */
export function lines(sentences: readonly string[]): string {
  return sentences.map((sentence) => `  - ${sentence}`).join('\n');
}
