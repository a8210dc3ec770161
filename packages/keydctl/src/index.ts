export { CommandError } from './command-line/command-error.js';
export { EXIT_CODES, exitCodeOf, type Ending } from './command-line/exit-code.js';
export type { Surroundings } from './command-line/surroundings.js';
export { createFeedKeys, feedKeysFolder, type FeedKeysFolder } from './feed-keys/feed-keys-folder.js';
export { createLedgerKey, ledgerKeyFolder, type LedgerKeyFolder } from './ledger/ledger-key-folder.js';
export { MasterClient, type AccessKeyFilter } from './master/master-client.js';
export { withMaster, type MasterAddress } from './master/with-master.js';
export { createProgram } from './program.js';
export { runKeydctl } from './run-keydctl.js';
