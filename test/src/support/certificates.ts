import { CredentialsStore, type TlsFiles } from '@sigv4-keyd/fastify-mtls';
import { spiffeIdOf, type Identity } from '@sigv4-keyd/hop-protocol';
import { createAuthority, type Authority } from '@sigv4-keyd/pki';
import { join } from 'node:path';

export const TRUST_DOMAIN = 'keyd.test';

type WithoutTrustDomain<I> = I extends Identity ? Omit<I, 'trustDomain'> : never;

/** An authority of a test, and certificates for whomever it needs. */
export class TestAuthority {
  readonly #authority: Authority;
  readonly #folder: string;
  #issued = 0;

  private constructor(authority: Authority, folder: string) {
    this.#authority = authority;
    this.#folder = folder;
  }

  static async create(folder: string, name = 'ca'): Promise<TestAuthority> {
    const authority = await createAuthority({
      folder: join(folder, name),
      trustDomain: TRUST_DOMAIN,
      now: Date.now(),
    });
    return new TestAuthority(authority, folder);
  }

  /** Files of a certificate for 127.0.0.1 with this SPIFFE id, valid from five minutes ago for a day. */
  files(spiffeId: string, now = Date.now()): Promise<TlsFiles> {
    this.#issued += 1;
    return this.#authority.issue({
      spiffeId,
      ipAddresses: ['127.0.0.1'],
      dnsNames: ['localhost'],
      days: 1,
      folder: join(this.#folder, `peer-${this.#issued}`),
      now,
    });
  }

  async credentials(identity: WithoutTrustDomain<Identity>): Promise<CredentialsStore> {
    return CredentialsStore.open(await this.filesOf(identity));
  }

  filesOf(identity: WithoutTrustDomain<Identity>, now?: number): Promise<TlsFiles> {
    return this.files(spiffeIdOf({ trustDomain: TRUST_DOMAIN, ...identity }), now);
  }
}
