import type { IncidentReport } from '@sigv4-keyd/hop-protocol';
import { describeScope, isRevocation, RevocationSet, type SignedStatement } from '@sigv4-keyd/revocation';
import type { AcceptedAccessKey } from './accepted-lists.js';
import type { AcceptedScope } from './accepted-scopes.js';
import type { IncidentScope } from './incident-scope.js';

/** The statements that hit the scope, wholly or in part, the lifted ones among them. */
export function revocationsOf(
  scope: IncidentScope,
  statements: readonly SignedStatement[],
): IncidentReport['revocations'] {
  const set = RevocationSet.of(statements);
  return statements
    .filter(isRevocation)
    .filter(
      ({ statement }) =>
        statement.from <= scope.to &&
        scope.from <= statement.to &&
        overlap(statement.region, scope.region) &&
        overlap(statement.service, scope.service) &&
        overlap(statement.accessKeyId, scope.accessKeyId),
    )
    .map(({ statement, digest }) => ({
      id: statement.id,
      incident: statement.incident,
      scope: describeScope(statement),
      lifted: set.isLifted(digest),
    }));
}

/** The access keys of which every accepted signature in the scope would be refused now. */
export function revokedAccessKeys(
  accessKeys: readonly AcceptedAccessKey[],
  scopes: readonly AcceptedScope[],
  statements: readonly SignedStatement[],
): ReadonlySet<string> {
  const set = RevocationSet.of(statements);
  const known = new Map(accessKeys.map((key) => [key.accessKeyId, key]));
  const revoked = new Set(known.keys());
  for (const accepted of scopes) {
    const { createdAt, parentAccessKeyId: parent } = known.get(accepted.accessKeyId) ?? {};
    const hit =
      set.find({ ...accepted, createdAt }) ??
      (parent === undefined ? undefined : set.find({ ...accepted, accessKeyId: parent, createdAt }));
    if (!hit) revoked.delete(accepted.accessKeyId);
  }
  return revoked;
}

function overlap(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined || one === other;
}
