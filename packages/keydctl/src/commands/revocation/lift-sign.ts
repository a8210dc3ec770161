import { readFile, writeFile } from 'node:fs/promises';
import { describeScope } from '@sigv4-keyd/revocation';
import { z } from 'zod';
import { defineCommand } from '../../command-line/define-command.js';
import { option } from '../../command-line/option.js';
import { facts } from '../../presentation/table.js';
import { readLiftRequest, signLift } from '../../revocation/lift-request.js';

const fileName = z.string().min(1, 'must name a file');

export const sign = defineCommand({
  name: 'sign',
  summary: 'sign the request of a lift with the root key; works offline, on files alone',
  description:
    'Signs the request of a lift with the root key, on the machine that has it and no network: master-keyd is not ' +
    'asked. Shows which revocation the lift takes back; that the two belong together is checked.',
  positionals: [['<request>', 'file that keydctl revocation lift request made']],
  options: z.strictObject({
    rootKey: option(fileName, { value: 'file', about: 'the root key: root.jwk' }),
    out: option(fileName, { value: 'file', about: 'where to put the signed lift' }),
  }),
  examples: ['keydctl revocation lift sign lift.json --root-key /media/usb/root.jwk --out lift.jws'],
  async run({ options, positionals: [file = ''] }) {
    const made = readLiftRequest(await readFile(file, 'utf8'));
    const jws = await signLift(made, await readFile(options.rootKey, 'utf8'));
    await writeFile(options.out, `${jws}\n`, { flag: 'wx' });
    const scope = describeScope(made.revocation);
    return {
      document: { lift: made.lift, scope, file: options.out },
      text: (paint) =>
        facts(paint, [
          ['lifts', paint.bold(scope)],
          ['incident', made.lift.incident],
          ['reason', made.lift.reason],
          ['asked for by', made.lift.author],
          ['signed lift', options.out],
          ['next', `where master-keyd can be reached: keydctl revocation lift submit ${options.out}`],
        ]),
    };
  },
});
