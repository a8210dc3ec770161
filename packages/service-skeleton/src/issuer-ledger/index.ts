export { IssuerLedger, type IssuerLedgerContext } from './issuer-ledger.js';
