import type { TlsFiles } from '@sigv4-keyd/fastify-mtls';
import { TRUST_DOMAIN } from './certificates.js';
import { LEDGER_KEYS } from './test-ledger.js';

/** What every region and edge of a test is told: its certificate, whom it believes (a JWKS), where its state lies. */
export function tierSettings(files: TlsFiles, feedKeys: string, stateFolder: string): Record<string, string> {
  return {
    KEYD_TRUST_DOMAIN: TRUST_DOMAIN,
    KEYD_TLS_CERT: files.cert,
    KEYD_TLS_KEY: files.key,
    KEYD_TLS_CA: files.ca,
    KEYD_HEALTH_LISTEN: '127.0.0.1:0',
    KEYD_FEED_KEYS: feedKeys,
    KEYD_LEDGER_KEYS: LEDGER_KEYS,
    KEYD_STATE_FOLDER: stateFolder,
  };
}
