import type { AccessKey, CreatedSession } from '@sigv4-keyd/hop-protocol';
import type { Paint } from '../command-line/outcome.js';
import { accessKeyFactPairs, scopes, statusIn } from './access-keys.js';
import { shortInstant } from './age.js';
import { facts, table } from './table.js';

/** `facts` for eyes, the others for what reads credentials. */
export type SessionForm = 'facts' | 'env' | 'profile' | 'process';

/** The one time that secret and token are shown. None of the three has a character that a shell or a profile minds. */
export function createdSessionText(paint: Paint, session: CreatedSession, form: SessionForm): string {
  const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = session;
  switch (form) {
    case 'env':
      return [
        `export AWS_ACCESS_KEY_ID=${accessKeyId}`,
        `export AWS_SECRET_ACCESS_KEY=${secretAccessKey}`,
        `export AWS_SESSION_TOKEN=${sessionToken}`,
        `export AWS_CREDENTIAL_EXPIRATION=${expiresAt}`,
      ].join('\n');
    case 'profile':
      return [
        `[${session.sessionName ?? accessKeyId}]`,
        `aws_access_key_id = ${accessKeyId}`,
        `aws_secret_access_key = ${secretAccessKey}`,
        `aws_session_token = ${sessionToken}`,
      ].join('\n');
    case 'process':
      return JSON.stringify({
        Version: 1,
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        SessionToken: sessionToken,
        Expiration: expiresAt,
      });
    case 'facts':
      return createdSessionFacts(paint, session);
  }
}

function createdSessionFacts(paint: Paint, session: CreatedSession): string {
  const [first, ...rest] = accessKeyFactPairs(paint, session);
  const shown: (readonly [string, string])[] = [
    ...(first ? [first] : []),
    ['secret access key', paint.bold(session.secretAccessKey)],
    ['session token', paint.bold(session.sessionToken)],
    ...rest,
  ];
  return `${facts(paint, shown)}\n\nSecret and token are shown this once; keep them now. Both are needed to sign.`;
}

export function sessionTable(paint: Paint, sessions: readonly AccessKey[]): string {
  if (sessions.length === 0) return 'No sessions. Make one: keydctl session create --for ACCESS-KEY-ID --duration 1h';
  const headings = ['access key id', 'name', 'status', 'regions', 'services', 'created', 'expires'];
  return table(
    paint,
    headings,
    sessions.map((session) => [
      session.accessKeyId,
      session.sessionName ?? '-',
      statusIn(paint, session),
      scopes(session.regions),
      scopes(session.services),
      shortInstant(session.createdAt),
      session.expiresAt === undefined ? 'never' : shortInstant(session.expiresAt),
    ]),
  );
}
