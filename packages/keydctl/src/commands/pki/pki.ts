import { defineGroup } from '../../command-line/group.js';
import { bundle } from './bundle.js';
import { init } from './init.js';
import { install } from './install.js';
import { issue } from './issue.js';
import { list } from './list.js';
import { renew } from './renew.js';
import { request } from './request.js';
import { sign } from './sign.js';

export const pki = defineGroup({
  name: 'pki',
  summary: 'a certificate authority of your own, and its certificates; works on files alone',
  commands: [init, issue, renew, request, sign, install, list, bundle],
  examples: ['keydctl pki init --trust-domain keyd.local', 'keydctl pki issue operator alice', 'keydctl pki list'],
});
