import { defineGroup } from '../../command-line/group.js';
import { grant } from './grant.js';
import { list } from './list.js';
import { withdraw } from './withdraw.js';

export const deputy = defineGroup({
  name: 'deputy',
  summary: 'days that deputies may serve regions for while no master can be reached; asks master-keyd',
  commands: [grant, withdraw, list],
  examples: [
    "keydctl deputy grant deputy-1 --from 2026-11-22 --to 2026-11-24 --reason 'the HSM is moved'",
    'keydctl deputy withdraw deputy-1',
    'keydctl deputy list',
  ],
});
