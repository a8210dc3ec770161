export { Recipient, sealTo, type OwnHalf, type Sealing } from './agreement.js';
export { PageOpener, PageSealer } from './page-seal.js';
export { encodeSealedAnswer, readSealedAnswer } from './sealed-answer.js';
export { openKeyPage, SealedPageWriter } from './sealed-page.js';
export { acceptSealed, SEALED_KEYS_TYPE, sealingFor } from './sealed-type.js';
