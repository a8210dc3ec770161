import type { Overview, RevocationAnswer, RevocationRequest } from '@sigv4-keyd/hop-protocol';

/** Where the session of a one-time link is kept: of this tab and this port alone. */
const SESSION_KEY = 'keyd-console-session';

/** A refusal, or silence, in the words that the operator is shown. */
export class Failure extends Error {
  override readonly name = 'Failure';
}

/** Takes up the session of the link that opened this page, if one did. Throws Failure for a link that was used. */
export async function openSession(): Promise<void> {
  const token = location.hash.slice(1);
  if (token === '') return;
  // A link is good once: nothing of it stays in the address or the history.
  history.replaceState(null, '', location.pathname);
  const answer = await call('session', { token });
  if (!hasParts(answer, ['session']) || typeof answer.session !== 'string')
    throw new Failure('The answer is no session.');
  sessionStorage.setItem(SESSION_KEY, answer.session);
}

export async function readOverview(): Promise<Overview> {
  const answer = await call('../v1/overview');
  if (!isOverview(answer)) throw new Failure('The answer is of another release: load the page again.');
  return answer;
}

/** Also for the dry run. */
export async function revoke(request: RevocationRequest): Promise<RevocationAnswer> {
  const answer = await call('../v1/revocations', request);
  if (!isRevocationAnswer(answer)) throw new Failure('The answer is of another release: load the page again.');
  return answer;
}

const PATIENCE_MS = 25_000;

async function call(path: string, body?: object): Promise<unknown> {
  const response = await fetch(path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      'x-keyd-console': sessionStorage.getItem(SESSION_KEY) ?? 'page',
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(PATIENCE_MS),
  }).catch(() => {
    throw new Failure('Nobody answers: is the master up, and does keydctl console still run?');
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer;
  throw new Failure(errorText(answer) ?? `The answer was HTTP status ${response.status}.`);
}

function errorText(answer: unknown): string | undefined {
  if (!hasParts(answer, ['error']) || !hasParts(answer.error, ['message'])) return undefined;
  const { message } = answer.error;
  const detail = hasParts(answer.error, ['detail']) ? answer.error.detail : undefined;
  if (typeof message !== 'string') return undefined;
  return typeof detail === 'string' ? `${message} (${detail})` : message;
}

// Our own master has checked its answers against their schemas: here it is only told that this is the answer meant.

function isOverview(answer: unknown): answer is Overview {
  return hasParts(answer, ['at', 'today', 'days', 'regions', 'tiers', 'revocations', 'ledger', 'accessKeys']);
}

function isRevocationAnswer(answer: unknown): answer is RevocationAnswer {
  return hasParts(answer, ['statement', 'published', 'scope', 'blastRadius']);
}

function hasParts<Name extends string>(value: unknown, names: readonly Name[]): value is Record<Name, unknown> {
  return typeof value === 'object' && value !== null && names.every((name) => Object.hasOwn(value, name));
}
