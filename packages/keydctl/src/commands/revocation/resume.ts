import { z } from 'zod';
import { usageError } from '../../command-line/command-error.js';
import { defineCommand } from '../../command-line/define-command.js';
import { flag } from '../../command-line/option.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { facts } from '../../presentation/table.js';
import { heldBelow } from '../../revocation/held-below.js';
import { confirm } from '../../terminal/confirm.js';

const NO_FILE =
  'Give feed-state.json of a region or an edge, from its KEYD_STATE_FOLDER; or --without-files, if none can be had';

export const resume = defineCommand({
  name: 'resume',
  summary: 'go on publishing over a database that was restored from a backup',
  description:
    'A master whose database is older than what regions have seen publishes and issues nothing. This lets it go ' +
    'on, past what they saw, and puts back the revocations and the changes of access keys that the backup lacks, ' +
    'from the feed that regions and edges still hold. Look for a newer database first; docs/restore.md has all the ' +
    'steps.',
  positionals: [['[feed-state...]', 'feed-state.json of regions and edges, from their KEYD_STATE_FOLDER']],
  options: z.strictObject({
    withoutFiles: flag('there is no such file: whatever was revoked since the backup is lost'),
    yes: flag('do not ask for confirmation'),
    ...connectionOptions,
  }),
  examples: [
    'keydctl revocation resume us-east-1/feed-state.json eu-west-1/feed-state.json',
    'keydctl revocation resume feed-state.json --yes --json',
  ],
  async run({ options, positionals: files, surroundings }) {
    if (files.length === 0 && !options.withoutFiles) throw usageError('there is nothing to put back from', NO_FILE);
    const statements = await heldBelow(files);
    const question =
      `Nothing newer than this database is to be had, and ${statements.length} signed statements from ` +
      `${files.length} files are to be put back where it lacks them?`;
    await confirm(surroundings, question, options.yes, 'resume');
    const address = { url: options.master, files: tlsFilesOf(options) };
    const answer = await withMaster(address, surroundings.now(), (master) => master.resume(statements));
    const { version, putBack, accessKeys, lostSecrets } = answer;
    const rotations = lostSecrets.map((id) => `keydctl access-key rotate ${id}`).join('\n');
    return {
      document: answer,
      text: (paint) =>
        facts(paint, [
          ['state', paint.green('publishing again')],
          ['first beacon', `version ${version}`],
          ['revocations and lifts put back', String(putBack)],
          ['access keys', `${accessKeys} are again what they were when the database was lost`],
          ...(rotations
            ? ([['lost secrets', `these are disabled until they get another:\n${rotations}`]] as const)
            : []),
          ['next', 'compare: keydctl revocation list, keydctl identity list, keydctl access-key list'],
        ]),
    };
  },
});
