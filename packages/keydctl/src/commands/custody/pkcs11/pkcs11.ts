import { defineGroup } from '../../../command-line/group.js';
import { init } from './init.js';

export const pkcs11 = defineGroup({
  name: 'pkcs11',
  summary: 'keys in a PKCS#11 token: an HSM, a smart card, SoftHSM',
  commands: [init],
  examples: ['keydctl custody pkcs11 init --module /usr/lib/softhsm/libsofthsm2.so --token keyd --key custody-2026'],
});
