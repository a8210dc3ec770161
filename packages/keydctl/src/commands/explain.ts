import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { regionName, serviceName } from '@sigv4-keyd/hop-protocol';
import { z } from 'zod';
import { usageError } from '../command-line/command-error.js';
import { defineCommand } from '../command-line/define-command.js';
import { flag, option } from '../command-line/option.js';
import type { Surroundings } from '../command-line/surroundings.js';
import { captureError } from '../explain/capture/capture-error.js';
import type { CapturedRequest } from '../explain/capture/captured-request.js';
import { readCapture } from '../explain/capture/read-capture.js';
import { explainRequest } from '../explain/explain-request.js';
import { signatureExplanationText } from '../presentation/signature-explanation.js';
import { readSecretAccessKey } from '../terminal/secret-input.js';

const LONGEST_INPUT = 64 * 1024 * 1024;
const file = z.string().min(1, 'must name a file');

const instant = z
  .string()
  .transform(Date.parse)
  .refine((at) => !Number.isNaN(at), 'must be an instant such as 2026-11-22T08:30:00Z');

const options = z.strictObject({
  secretFile: option(file.optional(), {
    value: 'file',
    about: 'file with the secret access key (or AWS_SECRET_ACCESS_KEY)',
  }),
  askSecret: flag('ask for the secret access key on the terminal, unseen'),
  body: option(file.optional(), { value: 'file', about: 'the body, where the recording does not hold it' }),
  region: option(regionName.optional(), { value: 'region', about: 'the region of the endpoint' }),
  service: option(serviceName.optional(), { value: 'service', about: 'the service of the endpoint' }),
  at: option(instant.optional(), { value: 'instant', about: 'when it was sent, where the recording does not say' }),
});

type Options = z.output<typeof options>;

export const explain = defineCommand({
  name: 'explain',
  summary: 'say where the signature of a recorded request goes wrong',
  description:
    'Takes a HAR file, the output of curl -v, or a raw HTTP request, and says in words what is wrong with its ' +
    'signature. With the secret access key it tries the known mistakes, alone and in pairs, until the presented ' +
    'signature comes about. The secret, keys and right signatures are never shown.',
  positionals: [['<file>', 'the recording, - for standard input']],
  options,
  examples: [
    'curl -v … 2>&1 | keydctl explain -',
    'keydctl explain request.har --secret-file ./secret',
    'keydctl explain request.http --body ./upload.bin --region eu-west-1 --json',
  ],
  async run({ options: given, positionals, surroundings }) {
    const [name = ''] = positionals;
    const recorded = readCapture(await readBounded(name === '-' ? surroundings.input : createReadStream(name)));
    const explanation = await explainRequest(await completed(recorded, given), {
      region: given.region,
      service: given.service,
      secretOf: (accessKeyId) => secretOf(accessKeyId, given, name, surroundings),
    });
    return { document: explanation, text: (paint) => signatureExplanationText(paint, explanation) };
  },
});

async function completed(recorded: CapturedRequest, { body, at }: Options): Promise<CapturedRequest> {
  return {
    ...recorded,
    at: at ?? recorded.at,
    body: body === undefined ? recorded.body : await readBounded(createReadStream(body)),
  };
}

async function secretOf(
  accessKeyId: string,
  { secretFile, askSecret }: Options,
  recording: string,
  surroundings: Surroundings,
): Promise<string | undefined> {
  if (secretFile === '-' && recording === '-') {
    throw usageError('the recording and the secret cannot both come from standard input', 'Give one of them as a file');
  }
  if (secretFile !== undefined) return readSecretAccessKey(surroundings, secretFile);
  if (askSecret) {
    if (surroundings.isTerminal.input) return readSecretAccessKey(surroundings, undefined);
    throw usageError('there is no terminal to ask for the secret on', 'Give --secret-file');
  }
  const { env } = surroundings;
  const isOther = (env['AWS_ACCESS_KEY_ID'] ?? accessKeyId) !== accessKeyId;
  const secret = env['AWS_SECRET_ACCESS_KEY'] ?? '';
  return isOther || secret === '' ? undefined : secret;
}

async function readBounded(input: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of input) {
    const bytes = Buffer.isBuffer(part) ? part : Buffer.from(String(part));
    length += bytes.length;
    if (length > LONGEST_INPUT) throw captureError('it has more than 64 MiB', 'Record the one request alone');
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}
