import { writeFile } from 'node:fs/promises';
import { readCredentials } from '@sigv4-keyd/fastify-mtls';
import { revocationRequest } from '@sigv4-keyd/hop-protocol';
import { describeScope } from '@sigv4-keyd/revocation';
import { z } from 'zod';
import { CommandError } from '../../command-line/command-error.js';
import { defineCommand } from '../../command-line/define-command.js';
import { option } from '../../command-line/option.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { facts } from '../../presentation/table.js';
import { requestLift } from '../../revocation/lift-request.js';
import { findRevocation } from './find-revocation.js';

export const request = defineCommand({
  name: 'request',
  summary: 'write down the lift of a revocation, for the holder of the root key to sign',
  positionals: [['<id>', 'the revocation: its id, or the beginning of it']],
  options: z.strictObject({
    reason: option(revocationRequest.shape.reason, { value: 'text', about: 'why; every tier gets to read it' }),
    out: option(z.string().min(1, 'must name a file'), { value: 'file', about: 'where to put the request' }),
    ...connectionOptions,
  }),
  examples: ["keydctl revocation lift request 0b0f9a7e --reason 'wrong region' --out lift.json"],
  async run({ options, positionals: [id = ''], surroundings }) {
    const { reason, out } = options;
    const files = tlsFilesOf(options);
    const now = surroundings.now();
    const found = await withMaster({ url: options.master, files }, now, (master) => findRevocation(master, id));
    if (found.liftedBy) {
      throw new CommandError('failed', 'wrong-state', 'this revocation is lifted already', 'There is nothing to do');
    }
    const { spiffeId: author } = await readCredentials(files);
    const made = requestLift({ revocation: found.statement, author, reason, now });
    await writeFile(out, `${JSON.stringify(made, undefined, 2)}\n`, { flag: 'wx' });
    return {
      document: { ...made, file: out },
      text: (paint) =>
        facts(paint, [
          ['lifts', describeScope(made.revocation)],
          ['request', out],
          ['next', `where the root key is: keydctl revocation lift sign ${out} --root-key root.jwk --out lift.jws`],
        ]),
    };
  },
});
