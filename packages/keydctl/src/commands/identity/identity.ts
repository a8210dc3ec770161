import { defineGroup } from '../../command-line/group.js';
import { ban } from './ban.js';
import { list } from './list.js';
import { unban } from './unban.js';

export const identity = defineGroup({
  name: 'identity',
  summary: 'regions, edges and deputies that are shut out; asks master-keyd',
  commands: [ban, unban, list],
  examples: ["keydctl identity ban edge us-east-1 s3 edge-1 --reason 'broken into'", 'keydctl identity list'],
});
