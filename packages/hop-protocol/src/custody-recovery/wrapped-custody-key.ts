import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { custodyKeyIdOf } from './custody-key-id.js';
import { publicHalfOf, RECOVERY_KEY_BYTES, recoveryPublicKey, type RecoveryPublicKey } from './recovery-key.js';

const FORM = /^(keyd-custody-recovery\.1\.([0-9a-f]{16})\.([0-9a-f]{16}))\.([A-Za-z0-9_-]{107})$/;
const ALGORITHM = 'aes-256-gcm';
const [KEY_BYTES, NONCE_BYTES, TAG_BYTES] = [32, 12, 16];
const CUSTODY_KEY_BYTES = 32;

/** A custody key that only the recovery key opens: one line of text. */
export interface WrappedCustodyKey {
  readonly custodyKeyId: string;
  readonly recoveryKeyId: string;
  readonly line: string;
}

/** A wrapped custody key that was damaged, or that is not for this recovery key. */
export class WrapBroken extends Error {
  override readonly name = 'WrapBroken';
}

/**
 * X25519 with a key pair made for this one line, HKDF-SHA256, AES-256-GCM: the shape of HPKE's base mode (RFC 9180),
 * which node:crypto does not have as such. The ids in the line are authenticated.
 */
export function wrapCustodyKey(custodyKey: KeyObject, recovery: RecoveryPublicKey): WrappedCustodyKey {
  const custodyKeyId = custodyKeyIdOf(custodyKey);
  const head = `keyd-custody-recovery.1.${custodyKeyId}.${recovery.id}`;
  const { privateKey } = generateKeyPairSync('x25519');
  const passing = publicHalfOf(privateKey).bytes;
  const { key, nonce } = wrappingKey({ privateKey, publicKey: recovery.key }, passing, recovery.bytes);
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(head, 'utf8'));
  const plaintext = custodyKey.export();
  const body = Buffer.concat([passing, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  plaintext.fill(0);
  return { custodyKeyId, recoveryKeyId: recovery.id, line: `${head}.${body.toString('base64url')}` };
}

/** Undefined where the line has another form. */
export function parseWrappedCustodyKey(line: string): WrappedCustodyKey | undefined {
  const [, , custodyKeyId, recoveryKeyId] = FORM.exec(line) ?? [];
  return custodyKeyId === undefined || recoveryKeyId === undefined ? undefined : { custodyKeyId, recoveryKeyId, line };
}

/**
 * The custody key. Who can write to the database could have wrapped a key of their own: what comes out must have the id
 * that the line names, which is the one in every seal.
 * @throws WrapBroken
 */
export function unwrapCustodyKey({ line }: WrappedCustodyKey, recoveryKey: KeyObject): KeyObject {
  const [, head = '', custodyKeyId, , text = ''] = FORM.exec(line) ?? [];
  const body = Buffer.from(text, 'base64url');
  const key = openBody(head, body, recoveryKey);
  if (!key) throw new WrapBroken('the wrapped custody key does not open: it is damaged, or for another recovery key');
  if (custodyKeyIdOf(key) !== custodyKeyId) {
    throw new WrapBroken(`what was wrapped is not custody key ${custodyKeyId ?? ''}: somebody put another key there`);
  }
  return key;
}

function openBody(head: string, body: Buffer, recoveryKey: KeyObject): KeyObject | undefined {
  if (body.length !== RECOVERY_KEY_BYTES + CUSTODY_KEY_BYTES + TAG_BYTES) return undefined;
  const passing = recoveryPublicKey(body.subarray(0, RECOVERY_KEY_BYTES));
  let plaintext = Buffer.alloc(0);
  try {
    const pair = { privateKey: recoveryKey, publicKey: passing.key };
    const { key, nonce } = wrappingKey(pair, passing.bytes, publicHalfOf(recoveryKey).bytes);
    const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(head, 'utf8'))
      .setAuthTag(body.subarray(-TAG_BYTES));
    plaintext = decipher.update(body.subarray(RECOVERY_KEY_BYTES, -TAG_BYTES));
    decipher.final();
    return createSecretKey(plaintext);
  } catch {
    // A public half of small order is refused by OpenSSL, anything else by the tag.
    return undefined;
  } finally {
    plaintext.fill(0);
  }
}

/** Good for one message: the pair on one side was made for it. Both public halves go in, as RFC 9180 asks. */
function wrappingKey(
  pair: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
  passing: Buffer,
  recovery: Buffer,
): { readonly key: KeyObject; readonly nonce: Buffer } {
  const shared = diffieHellman(pair);
  const salt = Buffer.concat([passing, recovery]);
  const made = Buffer.from(hkdfSync('sha256', shared, salt, 'sigv4-keyd custody recovery 1', KEY_BYTES + NONCE_BYTES));
  shared.fill(0);
  const key = createSecretKey(made.subarray(0, KEY_BYTES));
  const nonce = Buffer.from(made.subarray(KEY_BYTES));
  made.fill(0);
  return { key, nonce };
}
