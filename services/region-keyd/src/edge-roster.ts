import {
  longerWindows,
  spiffeIdOf,
  type EdgeIdentity,
  type EdgeReport,
  type RegionReport,
  type WindowRule,
} from '@sigv4-keyd/hop-protocol';

/** An edge that was not heard of for this long is no longer listed. */
const FORGET_AFTER_MS = 24 * 3_600_000;
const MOST_EDGES = 20_000;

/** The edges of this region and what each last said of itself. */
export class EdgeRoster {
  readonly #heard = new Map<string, { readonly at: number; readonly report: EdgeReport }>();

  hear(edge: EdgeIdentity, report: EdgeReport, at: number): void {
    const id = spiffeIdOf(edge);
    // Deleting first keeps the map in the order of hearing: the first entry is the one longest silent.
    this.#heard.delete(id);
    this.#heard.set(id, { at, report });
    for (const [silent, { at: heardAt }] of this.#heard) {
      if (this.#heard.size <= MOST_EDGES && at - heardAt <= FORGET_AFTER_MS) break;
      this.#heard.delete(silent);
    }
  }

  /** How many of them were heard of since the instant, epoch milliseconds. */
  heardSince(instant: number): number {
    let heard = 0;
    for (const { at } of this.#heard.values()) if (at >= instant) heard += 1;
    return heard;
  }

  /** What the edges have configured that does not fit to this region's own window, in words. */
  warnings(own: WindowRule): readonly string[] {
    const edges = [...this.#heard].map(([spiffeId, { report }]) => ({ spiffeId, window: report.window }));
    const problem = longerWindows(own, edges);
    return problem === undefined ? [] : [problem];
  }

  list(): RegionReport['edges'] {
    return [...this.#heard].map(([spiffeId, { at, report }]) => ({
      spiffeId,
      heardAt: new Date(at).toISOString(),
      report,
    }));
  }
}
