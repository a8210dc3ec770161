import type { Surroundings } from '../command-line/surroundings.js';

/** A line that is written over and over, on a terminal only; `end` wipes it. */
export interface ProgressLine {
  show(text: string): void;
  end(): void;
}

const WIPE = '\r\u001b[K';

export function progressLine({ errorOutput, isTerminal }: Surroundings): ProgressLine {
  if (!isTerminal.errorOutput) return { show: () => undefined, end: () => undefined };
  return {
    show: (text) => void errorOutput.write(`${WIPE}${text}`),
    end: () => void errorOutput.write(WIPE),
  };
}
