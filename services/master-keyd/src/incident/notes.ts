import type { BlastRadius, IncidentReport } from '@sigv4-keyd/hop-protocol';
import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { IncidentScope } from './incident-scope.js';
import { dayOf } from './sentences.js';

export interface Figures {
  readonly scope: IncidentScope;
  readonly accepted: IncidentReport['accepted'];
  readonly dropped: number;
  readonly radius: BlastRadius;
  /** The oldest day whose acceptances are still kept. */
  readonly keptFrom: ScopeDate;
}

/** What a reader must know before relying on the figures. */
export function* notesOn({ scope, accepted, dropped, radius, keptFrom }: Figures): Generator<string> {
  if (scope.from < keptFrom) {
    yield `Acceptances before ${dayOf(keptFrom)} are no longer kept (KEYD_ACCEPTANCES_KEPT): they are missing here.`;
  }
  if (dropped > 0) {
    yield `Edges or regions had to drop ${dropped} roll-ups: the counts are lower bounds. The logs of the edges are complete.`;
  }
  if (accepted.accessKeyCount > accepted.byAccessKey.length) {
    yield `The ${accepted.byAccessKey.length} access keys with the most accepted signatures of ${accepted.accessKeyCount} are listed.`;
  }
  if (accepted.edgeCount > accepted.byEdge.length) {
    yield `The ${accepted.byEdge.length} edges with the most accepted signatures of ${accepted.edgeCount} are listed.`;
  }
  if (radius.accessKeyCount > radius.accessKeys.length) {
    yield `${radius.accessKeys.length} of ${radius.accessKeyCount} access keys that were issued are listed.`;
  }
  yield 'Edges report every 10 seconds, later after an outage: the newest requests may be missing.';
}
