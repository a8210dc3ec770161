import { rollup } from '@sigv4-keyd/hop-protocol';
import { FRONT_REFUSALS, type AnyRefusalReason } from '@sigv4-keyd/sigv4-answers';
import { ALGORITHMS, REFUSALS, type Accepted } from '@sigv4-keyd/sigv4-core';
import { z } from 'zod';
import type { VerdictMeter } from './request-meter.js';

/** Every reason for which an edge refuses. */
export const ANY_REASONS: readonly string[] = Object.keys({ ...REFUSALS, ...FRONT_REFUSALS });

const count = z.number().int().positive();
const microseconds = z.array(z.number().int().nonnegative());

/** Verdicts, as one process of an edge tells them to another. All that becomes a label is of a closed set. */
export const tallied = z.strictObject({
  accepted: z.array(z.strictObject({ mechanism: rollup.shape.mechanism, algorithm: z.enum(ALGORITHMS), count })),
  refused: z.array(z.strictObject({ reason: z.enum(ANY_REASONS), count })),
  /** To each verdict that was timed. */
  microseconds: z.strictObject({ accepted: microseconds, refused: microseconds }),
});
export type Tallied = z.output<typeof tallied>;

/** Counts verdicts until somebody takes them. */
export class RequestTally implements VerdictMeter {
  #accepted = new Map<string, Tallied['accepted'][number]>();
  #refused = new Map<AnyRefusalReason, number>();
  #microseconds: Tallied['microseconds'] = { accepted: [], refused: [] };

  accepted({ mechanism, algorithm }: Pick<Accepted, 'mechanism' | 'algorithm'>, seconds: number | undefined): void {
    const name = `${mechanism} ${algorithm}`;
    const before = this.#accepted.get(name)?.count ?? 0;
    this.#accepted.set(name, { mechanism, algorithm, count: before + 1 });
    if (seconds !== undefined) this.#microseconds.accepted.push(Math.round(seconds * 1e6));
  }

  refused(reason: AnyRefusalReason, seconds: number | undefined): void {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
    if (seconds !== undefined) this.#microseconds.refused.push(Math.round(seconds * 1e6));
  }

  /** What was counted since the last call. */
  take(): Tallied {
    const taken = {
      accepted: [...this.#accepted.values()],
      refused: [...this.#refused].map(([reason, times]) => ({ reason, count: times })),
      microseconds: this.#microseconds,
    };
    this.#accepted = new Map();
    this.#refused = new Map();
    this.#microseconds = { accepted: [], refused: [] };
    return taken;
  }
}
