export { Recipient, sealTo, type Sealing } from './agreement.js';
export { encodeSealedAnswer, readSealedAnswer } from './sealed-answer.js';
export { acceptSealed, SEALED_KEYS_TYPE, sealingFor } from './sealed-type.js';
