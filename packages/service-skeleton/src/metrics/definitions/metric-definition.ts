import type { Watched } from './watched.js';

/** All that there is to know of a metric before it is measured. docs/metrics.md is made from it. */
export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Each label, and the closed or configured set that its values are of: what clients choose is no label. */
  readonly labels: Readonly<Record<string, string>>;
  readonly services: readonly Watched[];
  /** Upper bounds of a histogram's buckets, seconds. */
  readonly buckets?: readonly number[];
}
