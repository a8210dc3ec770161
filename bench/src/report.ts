import { cpus, loadavg } from 'node:os';
import { z } from 'zod';
import { SCALES, type BenchPart } from './bench-part.js';
import { judged, judgedGoal, type JudgedGoal } from './goals.js';
import { measured, type Measured } from './measured.js';

export const reportedPart = measured.omit({ figures: true }).extend({
  name: z.string(),
  about: z.string(),
  goals: z.array(judgedGoal),
  /** How long it took, processes and all. */
  seconds: z.number(),
  /** Why there is nothing of it. */
  failed: z.string().optional(),
});
export type ReportedPart = z.infer<typeof reportedPart>;

/** What `--json` writes. */
export const report = z.strictObject({
  machine: z.string(),
  /** Of the last minute before: above the number of cores, the figures are of a busy machine. */
  load: z.number(),
  at: z.iso.datetime(),
  scale: z.enum(SCALES),
  parts: z.array(reportedPart),
});
export type Report = z.infer<typeof report>;

/** What a figure was measured on. */
export function machine(): string {
  const [cpu] = cpus();
  const { node, openssl } = process.versions;
  return `${cpu?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, Node.js ${node}, OpenSSL ${openssl}, ${process.platform}`;
}

export function load(): number {
  return loadavg()[0] ?? 0;
}

export function reported(
  name: string,
  { about, goals }: BenchPart,
  { result, seconds }: { readonly result: Measured; readonly seconds: number },
): ReportedPart {
  const { figures, ...shown } = result;
  const noFigure = { notMeasured: 'the part has no figure for it' };
  return { name, about, ...shown, goals: goals.map((goal) => judged(goal, figures[goal.what] ?? noFigure)), seconds };
}

/** A part that was not run, or broke: its goals stay in the table. */
export function notMeasured(
  name: string,
  { about, goals }: BenchPart,
  { why, seconds }: { readonly why: string; readonly seconds: number },
): ReportedPart {
  const judgedGoals: JudgedGoal[] = goals.map((goal) => judged(goal, { notMeasured: why }));
  return { name, about, tables: [], plots: [], goals: judgedGoals, seconds, failed: why };
}
