import type { Custody, Resealing } from '../custody.js';
import type { CustodyReadings } from '../custody-readings.js';
import type { KeyIds } from './messages.js';
import { PassingSession } from './passing-session.js';
import { pkcs11Custody, type TokenCalls } from './pkcs11-custody.js';
import { SessionStarts } from './session-starts.js';
import type { TokenSessionOptions } from './token-session.js';
import { TokenSessions, type TokenSessionsOptions } from './token-sessions.js';

export type TokenCustodyOptions = TokenSessionOptions & Pick<TokenSessionsOptions, 'sessions' | 'log'>;

/** The keeper at work, with the sessions that it has. */
export interface OpenTokenCustody {
  readonly custody: Custody & Resealing;
  readonly keyIds: KeyIds;
  readonly use: TokenCalls['use'];
  readonly warnings: () => readonly string[];
  readonly sessions: () => CustodyReadings['keyd_custody_sessions'];
  readonly close: () => Promise<unknown>;
}

/** Rejects with TokenFailure where there is no session to be had. */
export async function openTokenCustody({
  sessions: wanted,
  log,
  ...options
}: TokenCustodyOptions): Promise<OpenTokenCustody> {
  const { timer } = options;
  const starts = new SessionStarts(options);
  const sessions = await TokenSessions.open({ starts, timer, sessions: wanted, log });
  const passing = new PassingSession({ starts, timer });
  const { keyIds } = sessions;
  const use: TokenCalls['use'] = (asked, wrapped) => sessions.call(asked, wrapped);
  return {
    custody: pkcs11Custody(keyIds, { use, bringIn: (asked, keyBlock) => passing.call(asked, keyBlock) }),
    keyIds,
    use,
    warnings: () => sessions.warnings(),
    sessions: () => [
      { labels: { state: 'held' }, value: sessions.held },
      { labels: { state: 'wanted' }, value: wanted },
    ],
    close: () => Promise.all([sessions.close(), passing.close()]),
  };
}
