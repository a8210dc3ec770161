import { createPrivateKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TlsFiles } from '@sigv4-keyd/fastify-mtls';
import { createAuthority, type Authority } from '@sigv4-keyd/pki';
import forge from 'node-forge';

export const DAY = 86_400_000;
export const TRUST_DOMAIN = 'keyd.test';

/** [type, value]: 6 is a URI, 2 a DNS name, 1 an e-mail address. */
export type AltName = readonly [6 | 2 | 1, string];

// node-forge's typings know universal types only; a context-specific tag is a number to it all the same.
const create: (tagClass: number, tag: number, constructed: boolean, value: string | Asn1[]) => Asn1 = forge.asn1.create;
type Asn1 = forge.asn1.Asn1;

const { asn1 } = forge;
const { Class, Type } = asn1;

/** An authority of one test, and certificates of every kind from it, the wrong ones included. */
export class PeerCertificates {
  readonly authority: Authority;
  readonly #folder: string;
  #issued = 0;

  private constructor(folder: string, authority: Authority) {
    this.#folder = folder;
    this.authority = authority;
  }

  static async create(folder: string, trustDomain = TRUST_DOMAIN): Promise<PeerCertificates> {
    const now = Date.now() - 30 * DAY;
    return new PeerCertificates(folder, await createAuthority({ folder: join(folder, 'ca'), trustDomain, now }));
  }

  get caFile(): string {
    return join(this.#folder, 'ca', 'ca.crt');
  }

  nextFolder(): string {
    this.#issued += 1;
    return join(this.#folder, `leaf-${this.#issued}`);
  }

  issue(path: string, { hosts = false, at = Date.now(), days = 5 } = {}): Promise<TlsFiles> {
    const names = hosts ? { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] } : {};
    const spiffeId = `spiffe://${this.authority.trustDomain}/${path}`;
    return this.authority.issue({ spiffeId, ...names, folder: this.nextFolder(), days, now: at });
  }

  /** A leaf with any alternative names (none: no such extension), or an authority's certificate in a leaf's place. */
  async odd(altNames: readonly AltName[], { ca = false } = {}): Promise<TlsFiles> {
    const files = await this.issue('odd/one');
    const certificate = asn1.fromDer(new X509Certificate(readFileSync(files.cert)).raw.toString('latin1'));
    const [tbs] = certificate.value as Asn1[];
    const parts = tbs!.value as Asn1[];
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    parts[6] = asn1.fromDer(publicKey.export({ type: 'spki', format: 'der' }).toString('latin1'));
    parts[7] = create(Class.CONTEXT_SPECIFIC, 3, true, [
      sequence(
        ...(altNames.length === 0 ? [] : [extension('2.5.29.17', generalNames(altNames))]),
        ...(ca ? [extension('2.5.29.19', sequence(asn1.create(Class.UNIVERSAL, Type.BOOLEAN, false, '\xff')))] : []),
        extension('2.5.29.15', asn1.create(Class.UNIVERSAL, Type.BITSTRING, false, ca ? '\x02\x84' : '\x07\x80')),
      ),
    ]);
    writeFileSync(files.cert, this.#signed(tbs!));
    writeFileSync(files.key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    return files;
  }

  #signed(tbs: Asn1): string {
    const key = createPrivateKey(readFileSync(join(this.#folder, 'ca', 'ca.key')));
    const der = Buffer.from(asn1.toDer(tbs).getBytes(), 'latin1');
    const algorithm = sequence(oid('1.2.840.10045.4.3.2'));
    const signature = `\0${sign('sha256', der, key).toString('latin1')}`;
    const whole = sequence(tbs, algorithm, asn1.create(Class.UNIVERSAL, Type.BITSTRING, false, signature));
    return new X509Certificate(Buffer.from(asn1.toDer(whole).getBytes(), 'latin1')).toString();
  }
}

/** The three files of one peer, with the bytes of other files in them: how a half-done installation looks. */
export function copyInto(folder: string, from: TlsFiles): TlsFiles {
  mkdirSync(folder, { recursive: true });
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), ca: join(folder, 'ca.crt') };
  for (const part of ['cert', 'key', 'ca'] as const) writeFileSync(files[part], readFileSync(from[part]));
  chmodSync(files.key, 0o600);
  return files;
}

function generalNames(altNames: readonly AltName[]): Asn1 {
  return sequence(...altNames.map(([type, value]) => create(Class.CONTEXT_SPECIFIC, type, false, value)));
}

function extension(id: string, value: Asn1): Asn1 {
  return sequence(oid(id), asn1.create(Class.UNIVERSAL, Type.OCTETSTRING, false, asn1.toDer(value).getBytes()));
}

function sequence(...parts: Asn1[]): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, parts);
}

function oid(dotted: string): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.OID, false, asn1.oidToDer(dotted).getBytes());
}
