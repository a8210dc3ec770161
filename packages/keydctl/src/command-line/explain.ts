import { MtlsClientError, CredentialsError } from '@sigv4-keyd/fastify-mtls';
import { KeydError, type ErrorCode } from '@sigv4-keyd/hop-protocol';
import { TokenFailure } from '@sigv4-keyd/pkcs11-custody';
import { PkiError, type PkiErrorCode } from '@sigv4-keyd/pki';
import { FeedError } from '@sigv4-keyd/revocation';
import { CommanderError } from 'commander';
import { CurlFailure } from '../curl/curl-failure.js';
import { CommandError } from './command-error.js';
import type { Ending } from './exit-code.js';
import { isSystemError, systemErrorText } from './system-error.js';

/** A failure in the form in which it is told: on one line, or as a JSON document. */
export interface Explanation {
  readonly ending: Ending;
  readonly code: string;
  readonly message: string;
  /** The step to take, where the message does not say it already. */
  readonly next?: string;
  /** Where the command has exit codes of its own. */
  readonly exitCode?: number;
}

export function explain(error: unknown): Explanation {
  if (error instanceof CommandError) return error;
  if (error instanceof CommanderError) return explainUsage(error);
  if (error instanceof CurlFailure) {
    const { ending: code, message, next, exitCode } = error;
    return { ending: 'failed', code, message, next, exitCode };
  }
  if (error instanceof KeydError) return explainRefusal(error);
  if (error instanceof PkiError) {
    return { ending: WRONG_ARGUMENTS.has(error.code) ? 'usage' : 'failed', code: error.code, message: error.message };
  }
  if (error instanceof TokenFailure) return { ending: 'failed', code: error.reason, message: error.message };
  if (error instanceof FeedError) return { ending: 'failed', code: error.code, message: error.message };
  if (error instanceof CredentialsError) return { ending: 'failed', code: error.code, message: error.message };
  if (isSystemError(error)) return { ending: 'failed', code: error.code, message: systemErrorText(error) };
  const message = error instanceof Error ? error.message : String(error);
  return { ending: 'failed', code: 'internal-error', message, next: 'This is a defect of keydctl; report it' };
}

const WRONG_ARGUMENTS: ReadonlySet<PkiErrorCode> = new Set([
  'malformed-trust-domain',
  'malformed-host-name',
  'malformed-lifetime',
]);

function explainUsage(error: CommanderError): Explanation {
  if (error.exitCode === 0) return { ending: 'ok', code: error.code, message: error.message };
  const isBare = error.code === 'commander.help';
  const message = isBare ? 'no command was given' : error.message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ');
  return { ending: 'usage', code: 'usage', message, next: 'See --help' };
}

const ENDINGS: Partial<Record<ErrorCode, Ending>> = {
  'not-authenticated': 'not-permitted',
  'role-not-allowed': 'not-permitted',
  'identity-banned': 'not-permitted',
  'custody-unavailable': 'unreachable',
  'database-unavailable': 'unreachable',
  'parent-unavailable': 'unreachable',
  'not-ready': 'unreachable',
};

function explainRefusal(error: KeydError): Explanation {
  const detail = error.detail === undefined ? '' : ` (${error.detail})`;
  const transport = error.code === 'parent-unavailable' ? transportFailure(error) : undefined;
  return (
    transport ?? {
      ending: ENDINGS[error.code] ?? 'failed',
      code: error.code,
      message: `master-keyd answered ${error.code}${detail}`,
      next: error.message,
    }
  );
}

/** The client says 'parent-unavailable' of every failure on the way; its cause says which. */
function transportFailure(error: KeydError): Explanation {
  for (const cause of causesOf(error)) {
    if (cause instanceof MtlsClientError) {
      const ending = cause.code === 'client-certificate-refused' ? 'not-permitted' : 'unreachable';
      return {
        ending,
        code: cause.code,
        message: cause.message,
        next: 'Check --master and the files of --credentials',
      };
    }
  }
  if (causesOf(error).some((cause) => cause instanceof Error && CLOSED.has(codeOf(cause)))) {
    // A Node server that does not accept a certificate closes without saying so, like one that is stopping.
    const message = 'master-keyd closed the connection: it does not accept this certificate, or it is stopping';
    return { ending: 'unreachable', code: error.code, message, next: 'Check which authority issued it' };
  }
  const [, cause] = causesOf(error);
  const why = cause instanceof Error ? ` (${cause.message || codeOf(cause)})` : '';
  return {
    ending: 'unreachable',
    code: error.code,
    message: `master-keyd cannot be reached${why}`,
    next: 'Check that it runs and that --master names its address',
  };
}

const CLOSED: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

function causesOf(error: unknown): readonly unknown[] {
  const causes: unknown[] = [];
  for (let at = error; at !== undefined && causes.length < 10; at = at instanceof Error ? at.cause : undefined)
    causes.push(at);
  return causes;
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.name;
}
