import type { Clock } from '@sigv4-keyd/hop-protocol';
import { StartError, type Logger } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import { isUnavailable, stateOf } from './database-error.js';
import { NoUsableHost, UnsuitableHost } from './database-hosts.js';

const RETRY_EVERY_MS = 500;
const TELL_EVERY_MS = 5_000;

export interface WaitOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** How long a database that is not up yet is waited for, seconds. */
  readonly waitSeconds: number;
}

/**
 * Resolves once the database answers and keeps what it acknowledges. A server that is not up yet is waited for; what
 * waiting cannot mend (wrong password, unknown database) is told at once.
 * @throws StartError
 */
export async function waitForDatabase(pool: Pool, { clock, log, waitSeconds }: WaitOptions): Promise<void> {
  const begun = clock.now();
  let toldAt = -Infinity;
  // The clock's timers keep no process alive, and while the service starts there is nothing else that does.
  const alive = setInterval(() => undefined, TELL_EVERY_MS);
  try {
    for (;;) {
      const failure = await tryDatabase(pool);
      if (failure === undefined) return;
      const waited = clock.now() - begun;
      if (waited >= waitSeconds * 1000) {
        throw new StartError(
          `the database did not answer within ${waitSeconds} seconds (${reasonOf(failure)}); ` +
            'check that PostgreSQL runs and that KEYD_DATABASE_URL names its host and port',
          69,
          failure,
        );
      }
      if (clock.now() - toldAt >= TELL_EVERY_MS) {
        log.info({ reason: reasonOf(failure), waitedSeconds: Math.round(waited / 1000) }, 'waiting for the database');
        toldAt = clock.now();
      }
      await new Promise<void>((resolve) => clock.after(RETRY_EVERY_MS, resolve));
    }
  } finally {
    clearInterval(alive);
  }
}

/** Of several hosts one takes over, with all that was acknowledged only if the primary waited for it. */
export async function warnOfLossByFailover(pool: Pool, log: Logger): Promise<void> {
  const { rows } = await pool.query<{ readonly is_alone: boolean }>(
    `SELECT current_setting('synchronous_standby_names') = ''
         OR current_setting('synchronous_commit') IN ('local', 'off') AS is_alone`,
  );
  if (!rows[0]?.is_alone) return;
  log.warn(
    { event: 'replication-asynchronous' },
    'the primary waits for no standby: when it is lost, what it acknowledged last is lost with it; ' +
      'set synchronous_standby_names (docs/deploy.md)',
  );
}

/** Undefined when the database serves, or why it does not yet. */
async function tryDatabase(pool: Pool): Promise<unknown> {
  try {
    const { rows } = await pool.query<{ readonly commit: string; readonly fsync: string }>(
      "SELECT current_setting('synchronous_commit') AS commit, current_setting('fsync') AS fsync",
    );
    if (rows[0]?.commit === 'off' || rows[0]?.fsync === 'off') {
      throw new StartError(
        'the database acknowledges what it may still lose (synchronous_commit or fsync is off); ' +
          'switch both on, since keys are released once their record is durable',
        78,
      );
    }
    return undefined;
  } catch (error) {
    const mistake = mistakeIn(error);
    if (mistake) throw mistake;
    return error;
  }
}

/** What only an operator can mend, in words; undefined for what time may mend. */
function mistakeIn(error: unknown): StartError | undefined {
  if (error instanceof StartError) return error;
  const state = stateOf(error);
  if (state === '28P01' || state === '28000') {
    return new StartError(
      'the database refuses the user or the password in KEYD_DATABASE_URL; correct them (the server log has details)',
      78,
      error,
    );
  }
  if (state === '3D000') {
    return new StartError(
      'the database that KEYD_DATABASE_URL names does not exist on that server; create it or correct the name',
      78,
      error,
    );
  }
  if (isUnavailable(error)) return undefined;
  return new StartError(
    `the database cannot be used (${reasonOf(error)}); check KEYD_DATABASE_URL and the server's settings`,
    78,
    error,
  );
}

function reasonOf(error: unknown): string {
  if (error instanceof UnsuitableHost || error instanceof NoUsableHost) return error.message;
  return stateOf(error) ?? (error instanceof Error ? error.message : String(error));
}
