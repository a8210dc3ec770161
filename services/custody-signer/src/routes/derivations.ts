import {
  DERIVATIONS_PATH,
  derivationAnswer,
  derivationRequest,
  spiffeIdOf,
  type WindowRule,
} from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import type { CallCounts } from '../audit.js';
import { derive, type SignerKeys } from '../key-source.js';
import { requireInWindow } from '../policy.js';

export interface DerivationsRoute {
  readonly keys: SignerKeys;
  readonly counts: CallCounts;
  readonly window: WindowRule;
  readonly now: () => number;
}

/** POST /v1/derivations: what a master wants of sealed secrets. Counted on disk before it is answered. */
export function derivationsRoute(app: MtlsApp, { keys, counts, window, now }: DerivationsRoute): void {
  app.post(
    DERIVATIONS_PATH,
    {
      config: { mtls: { roles: ['master'] } },
      schema: { body: derivationRequest, response: { 200: derivationAnswer } },
    },
    async ({ peer, body, log }) => {
      const at = now();
      requireInWindow(window, body, at);
      const made = await derive(keys, body);
      try {
        const { call, want } = body;
        const given = made.filter((each) => each !== undefined).length;
        const counted = {
          ...{ call, want, given, at: new Date(at).toISOString(), master: spiffeIdOf(peer) },
          ...(body.want === 'kDate' && { date: body.date }),
        };
        await counts.record(counted);
        log.info({ event: 'derived', ...counted }, 'derived');
        return { call, made: made.map((each) => each?.toString('base64') ?? null) };
      } finally {
        for (const each of made) each?.fill(0);
      }
    },
  );
}
