import { KeydError, type ResumedAfterRestore } from '@sigv4-keyd/hop-protocol';
import { isLift, isRevocation, verifyStatements, type SignedStatement } from '@sigv4-keyd/revocation';
import type { Author } from '../access-key-changes.js';
import { logOperatorAction, recordOperatorAction, type OperatorAction } from '../audit.js';
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
 * with the statements that the backup lacks, from what was given and from what this master remembers.
 */
export async function resumeAfterRestore(
  author: Author,
  given: readonly string[],
  { feed, rule, now }: ResumptionOptions,
): Promise<ResumedAfterRestore> {
  await feed.compareWithPeers();
  const seen = feed.leftBehind;
  if (!seen) throw new KeydError('wrong-state', { detail: 'the database is not behind what regions have seen' });
  const { verified, refused } = await verifyStatements(given, rule.keys.pinned);
  const [first] = refused;
  if (first) throw new KeydError('malformed-request', { detail: `statements[${first.index}]: ${first.code}` });
  const remembered = feed.held?.known.statements ?? [];
  const missing = revocationsFirst([...remembered, ...verified.values()]);
  feed.distrustMemory();
  const { putBack, record } = await feed.publishPast(async (transaction) => {
    await lockFeed(transaction);
    await movePast(transaction, seen);
    let putBack = 0;
    for (const signed of missing) if (await insertStatement(transaction, signed)) putBack += 1;
    const detail = { past: seen.version, putBack };
    const { operator, requestId } = author;
    const record: OperatorAction = { at: now(), operator, action: 'resume-after-restore', detail, requestId };
    await recordOperatorAction(transaction, record);
    return { putBack, record };
  });
  logOperatorAction(author.log, record);
  await feed.compareWithPeers();
  return { version: feed.held?.version ?? seen.version + 1, putBack };
}

/** A lift is stored after what it lifts. */
function revocationsFirst(statements: readonly SignedStatement[]): readonly SignedStatement[] {
  return [...statements.filter(isRevocation), ...statements.filter(isLift)];
}
