import { toldWhole } from './told-whole.js';

toldWhole('signer');
toldWhole('revocation');
