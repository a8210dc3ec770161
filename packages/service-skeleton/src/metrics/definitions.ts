import { BUDGET_METRICS } from './definitions/budget.js';
import { COUNTED } from './definitions/counted.js';
import { CUSTODY_METRICS } from './definitions/custody.js';
import { DATABASE_METRICS } from './definitions/database.js';
import { DEPUTY_METRICS } from './definitions/deputies.js';
import { FEED_METRICS } from './definitions/feed.js';
import { KEY_METRICS } from './definitions/keys.js';
import { LEDGER_METRICS } from './definitions/ledger.js';
import { NEIGHBOUR_METRICS } from './definitions/neighbours.js';
import { OWN_METRICS } from './definitions/own.js';
import type { MetricDefinition } from './definitions/metric-definition.js';
import type { Watched } from './definitions/watched.js';

export { COUNTED } from './definitions/counted.js';
export type { MetricDefinition } from './definitions/metric-definition.js';
export { WATCHED, type Watched } from './definitions/watched.js';

/** What is read when a scrape asks for it. */
export const READ = {
  ...OWN_METRICS,
  ...FEED_METRICS,
  ...LEDGER_METRICS,
  ...KEY_METRICS,
  ...NEIGHBOUR_METRICS,
  ...BUDGET_METRICS,
  ...DATABASE_METRICS,
  ...CUSTODY_METRICS,
  ...DEPUTY_METRICS,
};

/** Every metric of the project. Those of the process and of Node.js are prom-client's own. */
export const METRICS: Readonly<Record<string, MetricDefinition>> = { ...COUNTED, ...READ };

type LabelOf<Definition extends MetricDefinition> = Extract<keyof Definition['labels'], string>;

/** The names of the metrics of a type that are counted. */
export type CountedName<Type extends MetricDefinition['type']> = {
  [Name in keyof typeof COUNTED]: (typeof COUNTED)[Name]['type'] extends Type ? Name : never;
}[keyof typeof COUNTED];

export type CountedLabels<Name extends keyof typeof COUNTED> = Readonly<
  Record<LabelOf<(typeof COUNTED)[Name]>, string>
>;

export interface Sample<Label extends string> {
  readonly labels: Readonly<Record<Label, string>>;
  readonly value: number;
}

/** What is read of a service at a scrape: all that it has, neither more nor less. */
export type Readings<Service extends Watched> = {
  readonly [
    Name in keyof typeof READ as Service extends (typeof READ)[Name]['services'][number] ? Name : never
  ]: LabelOf<(typeof READ)[Name]> extends never ? number : readonly Sample<LabelOf<(typeof READ)[Name]>>[];
};
