import picocolors from 'picocolors';
import type { StackFacts } from './stack-facts.js';

/** What a person needs of a running stack: addresses, the access key, and lines ready to paste. */
export function readyLines(facts: StackFacts, isTerminal: boolean): string {
  const paint = picocolors.createColors(isTerminal && (process.env['NO_COLOR'] ?? '') === '');
  const [s3, json] = ['s3', 'execute-api'].map((service) => facts.edges.find((edge) => edge.service === service));
  const credentials = `AWS_ACCESS_KEY_ID=${facts.accessKeyId} AWS_SECRET_ACCESS_KEY=${facts.secretAccessKey}`;
  const operator = `KEYD_MASTER=${facts.master.url} KEYD_CREDENTIALS=${facts.credentials}`;
  const user = `${facts.accessKeyId}:${facts.secretAccessKey}`;
  const sections: readonly (readonly [title: string, lines: readonly string[]])[] = [
    ['Edges', facts.edges.map(({ region, service, proxy }) => `${proxy}  ${service} in ${region}`)],
    ['Access key', [`id      ${facts.accessKeyId}`, `secret  ${facts.secretAccessKey}`]],
    [
      'curl',
      [
        `curl --aws-sigv4 aws:amz:${s3?.region}:s3 --user ${user} ${s3?.proxy}/bucket/hello.txt`,
        `curl --aws-sigv4 aws:amz:${s3?.region}:s3 --user ${user} -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' ` +
          `-T package.json ${s3?.proxy}/bucket/hello.txt`,
        `curl --aws-sigv4 aws:amz:${json?.region}:execute-api --user ${user} ${json?.proxy}/orders`,
      ],
    ],
    [
      'AWS CLI',
      [
        `${credentials} AWS_DEFAULT_REGION=${s3?.region} aws --endpoint-url ${s3?.proxy} ` +
          's3api put-object --bucket bucket --key hello.txt --body package.json',
        `${credentials} AWS_DEFAULT_REGION=${s3?.region} aws --endpoint-url ${s3?.proxy} ` +
          's3api head-object --bucket bucket --key hello.txt',
      ],
    ],
    [
      'JavaScript SDK',
      [
        `new S3Client({ endpoint: '${s3?.proxy}', region: '${s3?.region}', forcePathStyle: true, ` +
          `credentials: { accessKeyId: '${facts.accessKeyId}', secretAccessKey: '${facts.secretAccessKey}' } })`,
      ],
    ],
    [
      'keydctl, in another terminal, in this folder',
      [`export ${operator}`, 'npm run --silent keydctl -- status', 'npm run --silent keydctl -- access-key list'],
    ],
    [
      'Console: revoke a region in the browser. In another terminal, in this folder; it prints a link',
      [`${operator} npm run --silent keydctl -- console`],
    ],
  ];
  const text = sections.map(([title, lines]) => [paint.bold(title), ...lines.map((line) => `  ${line}`)].join('\n'));
  return `\n${text.join('\n\n')}\n\nLogs are in ${facts.logs}. Ctrl-C stops everything.`;
}
