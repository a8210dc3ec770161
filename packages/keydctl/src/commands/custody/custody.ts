import { defineGroup } from '../../command-line/group.js';
import { rotate } from './rotate.js';
import { status } from './status.js';

export const custody = defineGroup({
  name: 'custody',
  summary: 'the keys that the secrets are sealed with; asks master-keyd',
  commands: [status, rotate],
  examples: ['keydctl custody status', 'keydctl custody rotate'],
});
