import { z } from 'zod';
import { goalFigure } from './goals.js';

/** A median of several turns; the spread is half of the distance between the quartiles. */
export const figure = z.strictObject({ median: z.number(), spread: z.number() });
export type Figure = z.infer<typeof figure>;

const cell = z.union([z.string(), z.number(), figure]);
export type Cell = z.infer<typeof cell>;

/** Units are in the title or in the head. */
const table = z.strictObject({
  title: z.string(),
  head: z.array(z.string()),
  rows: z.array(z.array(cell)),
  /** Sentences below it: what is simulated, what was skipped. */
  notes: z.array(z.string()),
});
export type Table = z.infer<typeof table>;

const axis = z.strictObject({ label: z.string(), scale: z.enum(['linear', 'logarithmic']) });
const linePlot = z.strictObject({
  kind: z.literal('lines'),
  /** The file's, without `.svg`. */
  name: z.string(),
  title: z.string(),
  x: axis,
  y: axis,
  lines: z.array(z.strictObject({ name: z.string(), points: z.array(z.tuple([z.number(), z.number()])) })),
  /** Where on the x axis something happens. */
  mark: z.number().optional(),
});
export type LinePlot = z.infer<typeof linePlot>;

const barPlot = z.strictObject({
  kind: z.literal('bars'),
  name: z.string(),
  title: z.string(),
  unit: z.string(),
  groups: z.array(
    z.strictObject({
      name: z.string(),
      bars: z.array(z.strictObject({ name: z.string(), value: z.number() })),
    }),
  ),
});
export type BarPlot = z.infer<typeof barPlot>;

const plot = z.discriminatedUnion('kind', [linePlot, barPlot]);
export type Plot = z.infer<typeof plot>;

/** All that a part of the bench found: what is printed, drawn and written as JSON. */
export const measured = z.strictObject({
  tables: z.array(table),
  /** By the text of the goal: one for each goal of the part. */
  figures: z.record(z.string(), goalFigure),
  plots: z.array(plot),
});
export type Measured = z.infer<typeof measured>;
