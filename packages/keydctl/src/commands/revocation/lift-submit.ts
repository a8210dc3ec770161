import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { defineCommand } from '../../command-line/define-command.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { facts } from '../../presentation/table.js';

export const submit = defineCommand({
  name: 'submit',
  summary: 'publish a lift that was signed with the root key',
  positionals: [['<lift>', 'file that keydctl revocation lift sign made']],
  options: z.strictObject(connectionOptions),
  examples: ['keydctl revocation lift submit lift.jws'],
  async run({ options, positionals: [file = ''], surroundings }) {
    const jws = (await readFile(file, 'utf8')).trim();
    const address = { url: options.master, files: tlsFilesOf(options) };
    const answer = await withMaster(address, surroundings.now(), (master) => master.lift(jws));
    return {
      document: answer,
      text: (paint) =>
        facts(paint, [
          ['lifted', paint.bold(answer.scope)],
          ['incident', answer.lift.incident],
          ['reason', answer.lift.reason],
          ['state', paint.green('published')],
        ]),
    };
  },
});
