import { defineGroup } from '../../command-line/group.js';
import { create } from './create.js';
import { list } from './list.js';

export const session = defineGroup({
  name: 'session',
  summary: 'temporary credentials of access keys; asks master-keyd',
  commands: [create, list],
  examples: [
    'keydctl session create --for AKIAIOSFODNN7EXAMPLE --duration 1h --name alice',
    'keydctl access-key delete ASIAIOSFODNN7EXAMPLE',
  ],
});
