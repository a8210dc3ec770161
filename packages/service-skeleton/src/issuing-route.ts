import {
  encodeKeyAnswer,
  encodeSealedAnswer,
  hasRole,
  KeydError,
  keyRequest,
  noteFacts,
  SEALED_KEYS_TYPE,
  sealingFor,
  spiffeIdOf,
  type AnswerScope,
  type Hop,
  type Identity,
  type KeyAnswer,
  type KeySource,
  type Role,
} from '@sigv4-keyd/hop-protocol';
import type { Logger } from './logging.js';
import type { MtlsApp } from './mtls-app.js';
import type { PeerBudget } from './peer-budget/index.js';

/** Who asks for keys, and by which request. */
export interface KeyAsker<R extends Role> {
  /** From its certificate. */
  readonly peer: Extract<Identity, { role: R }>;
  readonly requestId: string;
  readonly log: Logger;
}

/** What is issued to one asker, and the scope that its certificate gives it. */
export interface ScopedKeys<Key> {
  readonly scope: AnswerScope;
  /** What it issues is recorded when it resolves: what leaves has a record. */
  readonly keys: KeySource<Key>;
}

export interface IssuingRoute<R extends Role, Key> {
  readonly hop: Hop<Key>;
  /** Who may ask. */
  readonly role: R;
  readonly budget: PeerBudget;
  /** Throws KeydError for an asker that may have nothing here. */
  readonly issueTo: (asker: KeyAsker<R>) => ScopedKeys<Key>;
}

/** The upper end of a hop: POST of its path, answered to the role below, within the budget of each peer. */
export function issuingRoute<R extends Role, Key>(
  app: MtlsApp,
  { hop, role, budget, issueTo }: IssuingRoute<R, Key>,
): void {
  app.post(
    hop.path,
    {
      config: { mtls: { roles: [role] } },
      schema: { body: keyRequest },
      onRequest: budget.refuseEarly,
    },
    async ({ peer, body, headers, id: requestId, log }, reply) => {
      if (!hasRole(peer, role)) throw new KeydError('role-not-allowed');
      const sealing = sealingFor(headers.accept, hop.path);
      const { scope, keys } = issueTo({ peer, requestId, log });
      noteFacts({ 'keyd.keys': body.accessKeyIds.length });
      const issue = (): Promise<KeyAnswer<Key>> => keys.issue(body, requestId);
      const answer = await budget.run(spiffeIdOf(peer), body.accessKeyIds.length, issue);
      if (!sealing) return encodeKeyAnswer(hop, body.date, scope, answer);
      return reply.type(SEALED_KEYS_TYPE).send(encodeSealedAnswer(hop, { date: body.date, scope, sealing }, answer));
    },
  );
}
