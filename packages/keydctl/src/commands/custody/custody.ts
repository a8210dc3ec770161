import { defineGroup } from '../../command-line/group.js';
import { counts } from './counts.js';
import { pkcs11 } from './pkcs11/pkcs11.js';
import { recovery } from './recovery/recovery.js';
import { rotate } from './rotate.js';
import { signerKey } from './signer-key.js';
import { status } from './status.js';

export const custody = defineGroup({
  name: 'custody',
  summary: 'the keys that the secrets are sealed with, and how a lost one is had back',
  commands: [status, rotate, recovery, pkcs11, signerKey, counts],
  examples: ['keydctl custody status', 'keydctl custody rotate'],
});
