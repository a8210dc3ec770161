import {
  dayStreamPath,
  dayStreamRequest,
  hasRole,
  KeydError,
  spiffeIdOf,
  type Hop,
  type Identity,
} from '@sigv4-keyd/hop-protocol';
import type { DayStreams, MtlsApp, PeerBudget } from '@sigv4-keyd/service-skeleton';
import type { KeyTaker } from './audit.js';
import { dayPages } from './day-pages.js';
import type { IssuingOptions, KeyKind } from './key-source.js';

export interface DayRoute<R extends KeyTaker['role']> {
  readonly hop: Pick<Hop<never>, 'path' | 'keyBytes'>;
  /** Who may ask. */
  readonly role: R;
  readonly kind: KeyKind<Buffer, Extract<KeyTaker & Identity, { role: R }>>;
}

/** The stream of a day beside a hop's route for single access keys. */
export function dayRoute<R extends KeyTaker['role']>(
  app: MtlsApp,
  { hop, role, kind }: DayRoute<R>,
  { streams, budget }: { readonly streams: DayStreams; readonly budget: PeerBudget },
  options: IssuingOptions,
): void {
  app.post(
    dayStreamPath(hop),
    { config: { mtls: { roles: [role] } }, schema: { body: dayStreamRequest }, onRequest: budget.refuseEarly },
    (request, reply) => {
      const { peer, id: requestId, log, body } = request;
      if (!hasRole(peer, role)) throw new KeydError('role-not-allowed');
      const pages = budget.meter(spiffeIdOf(peer), dayPages({ peer, requestId, log }, body, kind, options));
      const issued = kind.scopeOf(peer);
      const scope = issued.rung === 'kDate' ? {} : { region: issued.region };
      return streams.send(reply, hop, { request: body, scope, pages });
    },
  );
}
