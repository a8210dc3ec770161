import type { MasterClient } from '../master/master-client.js';
import type { ProgressLine } from '../terminal/progress-line.js';

export interface ResealedAll {
  /** The id of the key that all is sealed with now. */
  readonly sealsWith: string;
  readonly resealed: number;
  /** Access keys whose secrets do not open with any key that the master has. */
  readonly unreadable: readonly string[];
  /** Secrets that are still under another key; more than `unreadable` while somebody else has hold of some. */
  readonly left: number;
}

/**
 * Page after page, to the end; and from the beginning again while secrets are left that another rotation, or a change
 * of an access key, had hold of, for as long as that gets any further.
 */
export async function resealAll(
  master: Pick<MasterClient, 'rotateCustody'>,
  progress: ProgressLine,
): Promise<ResealedAll> {
  let resealed = 0;
  try {
    for (;;) {
      const before = resealed;
      const unreadable: string[] = [];
      let page = await master.rotateCustody({});
      for (;;) {
        resealed += page.resealed;
        for (const id of page.unreadable) unreadable.push(id);
        progress.show(`${resealed} sealed anew`);
        if (page.next === undefined) break;
        page = await master.rotateCustody({ after: page.next });
      }
      const { sealsWith, left = 0 } = page;
      if (left <= unreadable.length || resealed === before) return { sealsWith, resealed, unreadable, left };
    }
  } finally {
    progress.end();
  }
}
