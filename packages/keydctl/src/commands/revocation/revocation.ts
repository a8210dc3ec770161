import { defineGroup } from '../../command-line/group.js';
import { list } from './list.js';
import { request } from './lift-request.js';
import { resume } from './resume.js';
import { show } from './show.js';
import { sign } from './lift-sign.js';
import { submit } from './lift-submit.js';

const lift = defineGroup({
  name: 'lift',
  summary: 'take a revocation back: request here, sign where the root key is, submit here',
  commands: [request, sign, submit],
  examples: [
    "keydctl revocation lift request 0b0f9a7e --reason 'wrong region' --out lift.json",
    'keydctl revocation lift sign lift.json --root-key /media/usb/root.jwk --out lift.jws',
    'keydctl revocation lift submit lift.jws',
  ],
});

export const revocation = defineGroup({
  name: 'revocation',
  summary: 'what was revoked, taking it back, and going on after a restore; asks master-keyd',
  commands: [list, show, lift, resume],
  examples: ['keydctl revocation list', 'keydctl revocation show 0b0f9a7e'],
});
