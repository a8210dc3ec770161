import type { Paint } from '../command-line/outcome.js';
import { quoted, type Finding } from '../explain/finding.js';
import type { SignatureExplanation, Verdict } from '../explain/explain-request.js';
import { facts } from './table.js';

const VERDICTS: Readonly<Record<Verdict, string>> = {
  right: 'right: it is the signature of this very request by this secret',
  explained: 'explained: it comes about like this',
  unexplained:
    'not explained: no known mistake, nor two of them, leads to it. Most likely the secret is another one. ' +
    'Else compare the canonical request of the client with that of the server (KEYD_DEBUG_SIGNATURES=yes tells it)',
  'not-tried': 'not tried: give the secret with --secret-file, or as AWS_SECRET_ACCESS_KEY',
};

export function signatureExplanationText(paint: Paint, explanation: SignatureExplanation): string {
  const { accessKeyId, scope, mechanism, signedHeaders, verdict, mistakes, findings } = explanation;
  const table = facts(paint, [
    ['access key', quoted(accessKeyId).slice(1, -1)],
    ['scope', quoted(scope).slice(1, -1)],
    ['signed in', mechanism === 'header' ? 'the Authorization header' : 'the query (presigned)'],
    ['signed headers', quoted(signedHeaders.join(';')).slice(1, -1)],
    ['signature', VERDICTS[verdict]],
  ]);
  const also = findings.length === 0 ? [] : ['', paint.bold('Found without the signature'), ...told(findings)];
  return [table, ...told(mistakes), ...also].join('\n');
}

function told(findings: readonly Finding[]): readonly string[] {
  return findings.flatMap(({ what, next }) => [`  - ${what}`, `    ${next}`]);
}
