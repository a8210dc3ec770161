import { KeydError, type ResumedAfterRestore } from '@sigv4-keyd/hop-protocol';
import {
  isLift,
  isPage,
  isRevocation,
  isStatement,
  verifyFacts,
  type SignedFact,
  type SignedStatement,
} from '@sigv4-keyd/revocation';
import type { Author } from '../author.js';
import { logOperatorAction, recordOperatorAction, type OperatorAction } from '../audit.js';
import { lockForChanging } from '../database/locks.js';
import { bringAccessKeysBack } from './access-keys-after-restore.js';
import { lockFeed, movePast } from './feed-row.js';
import type { MasterFeed } from './master-feed.js';
import type { PublishingRule } from './published-feed.js';
import { insertStatement } from './statement-table.js';

export interface ResumptionOptions {
  readonly feed: MasterFeed;
  readonly rule: PublishingRule;
  readonly now: () => number;
}

/**
 * Takes up publishing over a database that was restored from a backup: past the versions that regions have seen, and
 * with the statements and the changes of access keys that the backup lacks, from what was given and from what this
 * master remembers.
 */
export async function resumeAfterRestore(
  author: Author,
  given: readonly string[],
  { feed, rule, now }: ResumptionOptions,
): Promise<ResumedAfterRestore> {
  await feed.compareWithPeers();
  const seen = feed.leftBehind;
  if (!seen) throw new KeydError('wrong-state', { detail: 'the database is not behind what regions have seen' });
  const { verified, refused } = await verifyFacts(given, rule.keys.pinned);
  const [first] = refused;
  if (first) throw new KeydError('malformed-request', { detail: `statements[${first.index}]: ${first.code}` });
  const remembered: readonly SignedFact[] = [...(feed.held?.known.statements ?? []), ...(feed.held?.pages.pages ?? [])];
  const facts = [...remembered, ...verified.values()];
  const missing = revocationsFirst(facts.filter(isStatement));
  feed.distrustMemory();
  const { back, record } = await feed.publishPast(async (transaction) => {
    await lockForChanging(transaction);
    await lockFeed(transaction);
    await movePast(transaction, seen);
    let putBack = 0;
    for (const signed of missing) if (await insertStatement(transaction, signed)) putBack += 1;
    const accessKeys = await bringAccessKeysBack(transaction, facts.filter(isPage));
    const back = { putBack, accessKeys: accessKeys.changed, lostSecrets: [...accessKeys.lostSecrets] };
    const detail = { past: seen.version, ...back };
    const { operator, requestId } = author;
    const record: OperatorAction = { at: now(), operator, action: 'resume-after-restore', detail, requestId };
    await recordOperatorAction(transaction, record);
    return { back, record };
  });
  logOperatorAction(author.log, record);
  await feed.compareWithPeers();
  return { version: feed.held?.version ?? seen.version + 1, ...back };
}

/** A lift is stored after what it lifts. */
function revocationsFirst(statements: readonly SignedStatement[]): readonly SignedStatement[] {
  return [...statements.filter(isRevocation), ...statements.filter(isLift)];
}
