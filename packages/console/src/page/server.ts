import type {
  IdentityBan,
  IncidentReport,
  LiftAnswer,
  ListedRevocations,
  Overview,
  RevocationAnswer,
  RevocationRequest,
} from '@sigv4-keyd/hop-protocol';
import type { Scope } from './incident-form.js';

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
  const answer = await call('POST', 'session', { token });
  if (!hasParts(answer, ['session']) || typeof answer.session !== 'string')
    throw new Failure('The answer is no session.');
  sessionStorage.setItem(SESSION_KEY, answer.session);
}

export async function readOverview(): Promise<Overview> {
  return meant(await call('GET', '../v1/overview'), isOverview);
}

/** Also for the dry run. */
export async function revoke(request: RevocationRequest): Promise<RevocationAnswer> {
  return meant(await call('POST', '../v1/revocations', request), isRevocationAnswer);
}

export async function readRevocations(): Promise<ListedRevocations> {
  return meant(await call('GET', '../v1/revocations'), isListOfRevocations);
}

/** `jws`: signed with the root key, elsewhere. */
export async function submitLift(jws: string): Promise<LiftAnswer> {
  return meant(await call('POST', '../v1/lifts', { jws }), isLiftAnswer);
}

export async function ban(spiffeId: string, reason: string): Promise<IdentityBan> {
  return meant(await call('POST', '../v1/identity-bans', { spiffeId, reason }), isBan);
}

export async function unban(spiffeId: string): Promise<IdentityBan> {
  return meant(await call('DELETE', `../v1/identity-bans?${inQuery({ spiffeId })}`, {}), isBan);
}

export async function readIncidentReport(scope: Scope): Promise<IncidentReport> {
  return meant(await call('GET', `../v1/incident-report?${inQuery(scope)}`), isIncidentReport);
}

function inQuery(parts: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parts)) if (value !== undefined) query.set(name, value);
  return query.toString();
}

const PATIENCE_MS = 25_000;

/** Every change has a body, which makes it JSON: no form can send that. */
async function call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<unknown> {
  const response = await fetch(path, {
    method,
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

function meant<Answer>(answer: unknown, isIt: (answer: unknown) => answer is Answer): Answer {
  if (isIt(answer)) return answer;
  throw new Failure('The answer is of another release: load the page again.');
}

// Our own master has checked its answers against their schemas: here it is only told that this is the answer meant.

function isOverview(answer: unknown): answer is Overview {
  return hasParts(answer, ['at', 'today', 'days', 'regions', 'tiers', 'revocations', 'ledger', 'accessKeys', 'bans']);
}

function isRevocationAnswer(answer: unknown): answer is RevocationAnswer {
  return hasParts(answer, ['statement', 'published', 'scope', 'blastRadius']);
}

function isListOfRevocations(answer: unknown): answer is ListedRevocations {
  return hasParts(answer, ['revocations']);
}

function isLiftAnswer(answer: unknown): answer is LiftAnswer {
  return hasParts(answer, ['lift', 'scope']);
}

function isBan(answer: unknown): answer is IdentityBan {
  return hasParts(answer, ['spiffeId', 'reason', 'by', 'at']);
}

function isIncidentReport(answer: unknown): answer is IncidentReport {
  return hasParts(answer, ['scope', 'from', 'to', 'blastRadius', 'accepted', 'outside', 'logQuery']);
}

function hasParts<Name extends string>(value: unknown, names: readonly Name[]): value is Record<Name, unknown> {
  return typeof value === 'object' && value !== null && names.every((name) => Object.hasOwn(value, name));
}
