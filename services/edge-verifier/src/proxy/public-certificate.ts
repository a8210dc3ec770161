import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { ServerOptions } from 'node:https';
import { StartError, type Logger } from '@sigv4-keyd/service-skeleton';

interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}
interface CertificatePair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** What a certificate can be given to: a TLS server that is listening. */
interface SecureServer {
  setSecureContext(options: ServerOptions): void;
}

/** The certificate that clients see, read again while the server runs. It has no timer: its owner calls `reload`. */
export class PublicCertificate {
  readonly #files: CertificateFiles;
  readonly #log: Logger;
  #pair: CertificatePair;

  private constructor(files: CertificateFiles, log: Logger, pair: CertificatePair) {
    this.#files = files;
    this.#log = log;
    this.#pair = pair;
  }

  /** @throws StartError */
  static async open(files: CertificateFiles, log: Logger): Promise<PublicCertificate> {
    try {
      return new PublicCertificate(files, log, await readPair(files));
    } catch (error) {
      const message = `${files.cert} and ${files.key} cannot be used as the public certificate: install both again, whole`;
      throw new StartError(message, 78, error);
    }
  }

  /** Every option, each time: `setSecureContext` forgets those that it is not given. */
  options(): ServerOptions {
    return { ...this.#pair, minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] };
  }

  /** Gives a renewed pair to the server; files that do not fit together leave the old pair in use. Never rejects. */
  async reload(server: SecureServer): Promise<void> {
    try {
      const fresh = await readPair(this.#files);
      if (fresh.cert.equals(this.#pair.cert) && fresh.key.equals(this.#pair.key)) return;
      this.#pair = fresh;
      server.setSecureContext(this.options());
      this.#log.info({ cert: this.#files.cert }, 'public certificate reloaded');
    } catch (error) {
      this.#log.warn({ err: error }, 'public certificate files cannot be used; the old ones stay in use');
    }
  }
}

async function readPair(files: CertificateFiles): Promise<CertificatePair> {
  const [cert, key] = await Promise.all([readFile(files.cert), readFile(files.key)]);
  const isPair = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  if (!isPair) throw new Error('the key is of another certificate');
  createSecureContext({ cert, key });
  return { cert, key };
}
