import type { Plot } from '../measured.js';
import { bars } from './bars.js';
import { lines } from './lines.js';

/** A plot as a standalone SVG. */
export function drawn(plot: Plot): string {
  return plot.kind === 'lines' ? lines(plot) : bars(plot);
}
