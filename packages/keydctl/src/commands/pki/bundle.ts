import { writeBundle } from '@sigv4-keyd/pki';
import { z } from 'zod';
import { defineCommand } from '../../command-line/define-command.js';
import { option } from '../../command-line/option.js';
import { facts } from '../../presentation/table.js';

export const bundle = defineCommand({
  name: 'bundle',
  summary: 'put several authorities into one ca.crt, while one takes over from another',
  description:
    'Writes the certificates of several authorities into one file, each once. While one authority takes over from ' +
    'another, every service trusts both: first spread the bundle, then certificates of the new authority, then its ' +
    'ca.crt alone.',
  positionals: [['<ca-files...>', 'ca.crt files to join']],
  options: z.strictObject({
    out: option(z.string().min(1, 'must name a file'), {
      value: 'file',
      about: 'the ca.crt to write; replaced as a whole',
    }),
  }),
  examples: ['keydctl pki bundle ./old-ca/ca.crt ./new-ca/ca.crt --out ./bundle/ca.crt'],
  async run({ options, positionals }) {
    const authorities = await writeBundle({ from: positionals, file: options.out });
    return {
      document: { file: options.out, authorities },
      text: (paint) =>
        facts(paint, [
          ['bundle', options.out],
          ['authorities', String(authorities)],
        ]),
    };
  },
});
