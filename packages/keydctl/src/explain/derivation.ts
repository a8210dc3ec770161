import { createHmac } from 'node:crypto';

/** How somebody derived the signing key, and of what. */
export interface KeyDerivation {
  /** `hex`: each step was given the former one as hex text, not as bytes. `no-prefix`: of the secret alone. */
  readonly form: 'right' | 'hex' | 'no-prefix';
  readonly secret: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/**
 * Derives signing keys, the wrong ways too, and remembers them while a search runs. Not by sigv4-core, whose ladder
 * does not let anyone make these mistakes.
 */
export class Derivations {
  readonly #known = new Map<string, Buffer>();

  /** The signature of a string to sign (latin1), in lower-case hex. Never to be shown. */
  signature(derivation: KeyDerivation, stringToSign: string): string {
    return createHmac('sha256', this.#key(derivation)).update(stringToSign, 'latin1').digest('hex');
  }

  #key(derivation: KeyDerivation): Buffer {
    const { form, secret, date, region, service } = derivation;
    const name = JSON.stringify([form, secret, date, region, service]);
    const known = this.#known.get(name);
    if (known) return known;
    let key: Buffer = Buffer.from(form === 'no-prefix' ? secret : `AWS4${secret}`, 'utf8');
    for (const step of [date, region, service, 'aws4_request']) {
      const next = createHmac('sha256', key).update(step, 'utf8').digest();
      key = form === 'hex' ? Buffer.from(next.toString('hex')) : next;
    }
    this.#known.set(name, key);
    return key;
  }
}
