import type { Command } from 'commander';
import { z } from 'zod';
import { fail } from './curl-failure.js';

/** The options of curl that there are here, and those that signing needs. */
export const curlOptions = z.strictObject({
  request: z.string().optional(),
  header: z.array(z.string()).default([]),
  data: z.array(z.string()).default([]),
  dataBinary: z.array(z.string()).default([]),
  uploadFile: z.string().optional(),
  output: z.string().optional(),
  verbose: z.boolean().default(false),
  include: z.boolean().default(false),
  head: z.boolean().default(false),
  fail: z.boolean().default(false),
  silent: z.boolean().default(false),
  showError: z.boolean().default(false),
  insecure: z.boolean().default(false),
  cacert: z.string().optional(),
  maxTime: z.coerce.number().positive('must be above 0').optional(),
  region: z.string().optional(),
  service: z.string().optional(),
  payload: z.enum(['exact', 'chunked', 'unsigned']).default('exact'),
  presign: z.coerce.number().int().positive('must be whole seconds').optional(),
});

export type CurlOptions = z.output<typeof curlOptions>;

/** Declares the options; spelled as curl spells them. */
export function declareOptions(command: Command): void {
  const several = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];
  command
    .option('-X, --request <method>', 'method; by default GET, with -d POST, with -T PUT')
    .option('-H, --header <line>', '"Name: value", may be repeated', several)
    .option('-d, --data <data>', 'body, or @file without its line ends; several are joined with "&"', several)
    .option('--data-binary <data>', 'body, or @file as it is', several)
    .option('-T, --upload-file <file>', 'file to upload, - for standard input')
    .option('-o, --output <file>', 'write the body of the answer to a file')
    .option('-v, --verbose', 'tell request and answer on the error output')
    .option('-i, --include', 'print the head of the answer, too')
    .option('-I, --head', 'ask for the head alone')
    .option('-f, --fail', 'end with 22 where the status is 400 or above, and print no body')
    .option('-s, --silent', 'taken for the sake of scripts: no progress is shown anyway')
    .option('-S, --show-error', 'taken for the sake of scripts: errors are told anyway')
    .option('-k, --insecure', "do not check the server's certificate")
    .option('--cacert <file>', 'certificate authorities, PEM')
    .option('-m, --max-time <seconds>', 'give up after this long')
    .option('--region <region>', 'sign for this region; else by the host, AWS_REGION or AWS_DEFAULT_REGION')
    .option('--service <service>', 'sign for this service; else by the host')
    .option('--payload <mode>', 'exact, chunked or unsigned: how the body is bound to the signature')
    .option('--presign <seconds>', 'print a URL that is good for so long, and send nothing');
}

/** Values are not quoted: what was put after the wrong option may be a secret. */
export function readOptions(given: unknown): CurlOptions {
  const read = curlOptions.safeParse(given);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw fail('usage', `--${String(issue?.path[0] ?? 'option')}: ${issue?.message ?? 'malformed'}`);
}
