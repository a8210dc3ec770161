import { defineGroup } from '../../command-line/group.js';
import { key } from './key.js';

export const ledger = defineGroup({
  name: 'ledger',
  summary: 'the tamper-evident record of who was given which keys',
  commands: [key],
  examples: ['keydctl ledger verify --ledger-key ledger.pub --save checkpoint', 'keydctl ledger show --region us-east-1'],
});
