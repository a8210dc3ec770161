import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { PeerIdentity } from './peer-identity.js';
import { standingOf, type PeerRules, type PeerStanding } from './peer-standing.js';
import type { TrustedAuthorities } from './trusted-authorities.js';

const NOT_TLS: PeerStanding = { known: false, code: 'FST_MTLS_NO_CERTIFICATE' };

interface SettledStanding {
  readonly standing: PeerStanding;
  /** The authorities that it was judged by. */
  readonly authorities: TrustedAuthorities;
}

/** The live connections of one server and who is at their other end. */
export class PeerConnections {
  readonly #rules: PeerRules;
  readonly #settled = new WeakMap<TLSSocket, SettledStanding>();
  readonly #identified = new Map<TLSSocket, PeerIdentity>();

  #authorities: TrustedAuthorities;

  constructor(rules: PeerRules, authorities: TrustedAuthorities) {
    this.#rules = rules;
    this.#authorities = authorities;
  }

  /** Every connection is judged again, by these, at its next request; requests under way end as they began. */
  trust(authorities: TrustedAuthorities): void {
    this.#authorities = authorities;
  }

  standingOf(socket: Socket): PeerStanding {
    if (!(socket instanceof TLSSocket)) return NOT_TLS;
    const settled = this.#settled.get(socket);
    const authorities = this.#authorities;
    if (settled?.authorities === authorities) return settled.standing;
    const standing = standingOf(socket, this.#rules, authorities);
    this.#settled.set(socket, { standing, authorities });
    if (standing.known && !socket.destroyed && !this.#identified.has(socket)) this.#remember(socket, standing.peer);
    return standing;
  }

  /** Ends the connections of every identity that the predicate names, answers under way included. Returns how many. */
  closeOf(predicate: (peer: PeerIdentity) => boolean): number {
    const doomed = [...this.#identified].filter(([, peer]) => predicate(peer));
    for (const [socket] of doomed) socket.destroy();
    return doomed.length;
  }

  #remember(socket: TLSSocket, peer: PeerIdentity): void {
    this.#identified.set(socket, peer);
    socket.once('close', () => this.#identified.delete(socket));
  }
}
