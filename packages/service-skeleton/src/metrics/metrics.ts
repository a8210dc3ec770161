import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import {
  COUNTED,
  METRICS,
  READ,
  type CountedLabels,
  type CountedName,
  type MetricDefinition,
  type Sample,
  type Watched,
} from './definitions.js';

/** What a scrape reads, by the names of the metrics: a number, or one for each combination of labels. */
export type AnyReadings = Readonly<Record<string, number | readonly Sample<string>[]>>;

/** The metrics of one service in the text format of Prometheus. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #read = new Map<string, Counter | Gauge>();

  constructor(service: Watched) {
    for (const [name, definition] of Object.entries<MetricDefinition>(READ)) {
      if (!definition.services.includes(service)) continue;
      const Kind = definition.type === 'counter' ? Counter : Gauge;
      this.#read.set(name, new Kind(this.#configurationOf(name, definition)));
    }
  }

  /** What counts one more. To be asked for once a metric. */
  counter<Name extends CountedName<'counter'>>(name: Name): (labels: CountedLabels<Name>, count?: number) => void {
    const counter = new Counter(this.#configurationOf(name, COUNTED[name]));
    return (labels, count = 1) => counter.inc(labels, count);
  }

  /** What counts one more of so many seconds. To be asked for once a metric. */
  histogram<Name extends CountedName<'histogram'>>(name: Name): (labels: CountedLabels<Name>, seconds: number) => void {
    const buckets = [...COUNTED[name].buckets];
    const histogram = new Histogram({ ...this.#configurationOf(name, COUNTED[name]), buckets });
    return (labels, seconds) => histogram.observe(labels, seconds);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The text of a scrape: what was counted, and what was read of the service at this moment. */
  text(readings: AnyReadings): Promise<string> {
    for (const [name, reading] of Object.entries(readings)) {
      const metric = this.#read.get(name);
      if (!metric) throw new Error(`${name} is no metric that this service reads`);
      metric.reset();
      const samples = typeof reading === 'number' ? [{ labels: {}, value: reading }] : reading;
      for (const { labels, value } of samples) metric.inc(labels, value);
    }
    return this.#registry.metrics();
  }

  #configurationOf(name: keyof typeof METRICS, { help, labels }: MetricDefinition): MetricConfiguration {
    return { name, help, labelNames: Object.keys(labels), registers: [this.#registry] };
  }
}

interface MetricConfiguration {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
  readonly registers: Registry[];
}
