import { CURL_EXITS } from '../curl/curl-failure.js';
import { declareOptions, readOptions } from '../curl/curl-options.js';
import { runCurl } from '../curl/run-curl.js';
import type { Install } from '../command-line/define-command.js';

const EXAMPLES = [
  'keydctl curl https://bucket.s3.eu-west-1.example.com/key',
  'keydctl curl --region eu-west-1 --service execute-api -d @order.json https://api.example.com/orders',
  'keydctl curl --region eu-west-1 --service s3 -T backup.tar --payload chunked http://localhost:8080/bucket/',
  'keydctl curl --region eu-west-1 --service s3 --presign 3600 http://localhost:8080/bucket/key',
];

/** Spelled as curl is, with its exit codes; so it has neither --json nor the exit codes of the other commands. */
export const curl: Install = (group, surroundings) => {
  const command = group
    .command('curl')
    .argument('<url>', 'where to send the request')
    .summary('sign a request and send it, with options and exit codes of curl')
    .description(
      'Signs a request with the credentials of the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ' +
        'AWS_SESSION_TOKEN), sends it and prints the answer.',
    );
  declareOptions(command);
  const exits = Object.values(CURL_EXITS).map(([code, meaning]) => `  ${String(code).padEnd(3)} ${meaning}`);
  const examples = EXAMPLES.map((line) => `  $ ${line}`);
  command.addHelpText('after', ['', 'Examples:', ...examples, '', 'Exit codes:', '  0   done', ...exits].join('\n'));
  command.action(async (url: string) => runCurl(url, readOptions(command.opts()), surroundings));
};
