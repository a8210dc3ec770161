import { z } from 'zod';
import { defineCommand } from '../../command-line/define-command.js';
import { resealAll } from '../../custody/reseal-all.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { rotationText } from '../../presentation/custody.js';
import { progressLine } from '../../terminal/progress-line.js';

const STEPS =
  'Give every master the new key as KEYD_CUSTODY_KEY and the old one as KEYD_CUSTODY_KEY_BEFORE first (keepers other ' +
  'than file: docs/custody.md); requests are served all the while. What is stopped half-way goes on when it is run ' +
  'again. Once nothing is left under another key, the key from before may go; until then the exit code is 1.';

export const rotate = defineCommand({
  name: 'rotate',
  summary: 'seal all secrets anew, with the present custody key',
  description: STEPS,
  options: z.strictObject(connectionOptions),
  examples: ['keydctl custody rotate', 'keydctl custody rotate --json'],
  async run({ options, surroundings }) {
    const address = { url: options.master, files: tlsFilesOf(options) };
    const progress = progressLine(surroundings);
    const rotated = await withMaster(address, surroundings.now(), (master) => resealAll(master, progress));
    return { document: rotated, text: (paint) => rotationText(paint, rotated), isUnfinished: rotated.left > 0 };
  },
});
