import { readFileSync } from 'node:fs';
import { createSignerKey, systemClock } from '@sigv4-keyd/hop-protocol';
import { TestAuthority } from './certificates.js';
import { TestFeed } from './test-feed.js';
import { LEDGER_KEY, LEDGER_KEYS } from './test-ledger.js';

/** What the files that a container mounts could have in them, by their names. The certificates are made in `folder`. */
export async function contentsOfMountedFiles(
  folder: string,
  databaseUrl: string,
): Promise<Readonly<Record<string, string>>> {
  const files = await (await TestAuthority.create(folder)).filesOf({ role: 'master', name: 'one' });
  const signerKey = createSignerKey();
  return {
    'tls.crt': readFileSync(files.cert, 'utf8'),
    'tls.key': readFileSync(files.key, 'utf8'),
    'ca.crt': readFileSync(files.ca, 'utf8'),
    'feed-keys.json': (await TestFeed.create(systemClock)).jwks,
    'ledger.pub': LEDGER_KEYS,
    'ledger.key': LEDGER_KEY,
    'revocation.jwk': '{"kty":"OKP"}',
    'beacon.jwk': '{"kty":"OKP"}',
    'custody.key': Buffer.alloc(32, 1).toString('base64'),
    'signer.jwk': signerKey.privateJwk,
    'signer.pub.jwk': signerKey.publicJwk,
    pin: '4711',
    'client.conf': '',
    'client.crt': '',
    'client.key': '',
    url: databaseUrl,
  };
}
