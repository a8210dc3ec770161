import { defineGroup } from '../../command-line/group.js';
import { key } from './key.js';
import { show } from './show.js';
import { verify } from './verify.js';

export const ledger = defineGroup({
  name: 'ledger',
  summary: 'the tamper-evident record of who was given which keys',
  commands: [key, verify, show],
  examples: [
    'keydctl ledger verify --ledger-key ledger.pub --save checkpoint',
    'keydctl ledger show --region us-east-1',
  ],
});
