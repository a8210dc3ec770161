export { attestedOnly, type AttestedOnlyOptions } from './attested-only.js';
export {
  attestPublicKey,
  ATTESTED_PUBLIC_KEY_BYTES,
  exportAttestedPublicKey,
  importAttestedPublicKey,
  isAttested,
  type AttestedPublicKey,
  type AttestedTerms,
} from './attested-public-key.js';
