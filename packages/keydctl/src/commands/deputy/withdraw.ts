import { z } from 'zod';
import { defineCommand } from '../../command-line/define-command.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { grantTable } from '../../presentation/deputy-grants.js';
import { deputyIdentity } from './deputy-identity.js';

const EFFECT =
  'Masters give it nothing more, and it drops what it holds within a minute of reaching one. A deputy that was ' +
  'broken into drops nothing: ban it (keydctl identity ban deputy NAME) and revoke its days (keydctl revoke).';

export const withdraw = defineCommand({
  name: 'withdraw',
  summary: 'take back all days that a deputy was granted',
  description: EFFECT,
  positionals: [['<name>', 'the deputy: NAME of spiffe://TRUST-DOMAIN/deputy/NAME, or the whole']],
  options: z.strictObject(connectionOptions),
  examples: ['keydctl deputy withdraw deputy-1'],
  async run({ options, positionals: [name = ''], surroundings }) {
    const files = tlsFilesOf(options);
    const deputy = await deputyIdentity(name, files);
    const address = { url: options.master, files };
    const withdrawn = await withMaster(address, surroundings.now(), (master) => master.withdrawDays(deputy));
    return { document: withdrawn, text: (paint) => `${grantTable(paint, withdrawn.grants)}\n\n${EFFECT}` };
  },
});
