// The steps of the specification one after the other, each written as plainly as it reads. examineRequest and
// concludeRequest take them for every request that they do not know the shape of, and are tested against them.
export { concludeRequest } from './conclude.js';
export { examineRequest } from './examine.js';
