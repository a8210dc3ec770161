import { ledgerOrigin } from '@sigv4-keyd/hop-protocol';
import { formatSignerKey, noteSigner, SEED_BYTES } from '@sigv4-keyd/ledger';
import { randomBytes } from 'node:crypto';
import { TRUST_DOMAIN } from './certificates.js';

const seed = randomBytes(SEED_BYTES);

/** The key of the ledger that all tiers of a test process have in common: KEYD_LEDGER_KEY and KEYD_LEDGER_KEYS. */
export const LEDGER_KEY = formatSignerKey(ledgerOrigin(TRUST_DOMAIN), seed);
export const LEDGER_KEYS = noteSigner(ledgerOrigin(TRUST_DOMAIN), seed).verifierKey;
