import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { PeerIdentity } from './peer-identity.js';
import { standingOf, type PeerRules, type PeerStanding } from './peer-standing.js';

const NOT_TLS: PeerStanding = { known: false, code: 'FST_MTLS_NO_CERTIFICATE' };

/** The live connections of one server and who is at their other end. */
export class PeerConnections {
  readonly #rules: PeerRules;
  readonly #standings = new WeakMap<TLSSocket, PeerStanding>();
  readonly #identified = new Map<TLSSocket, PeerIdentity>();

  constructor(rules: PeerRules) {
    this.#rules = rules;
  }

  standingOf(socket: Socket): PeerStanding {
    if (!(socket instanceof TLSSocket)) return NOT_TLS;
    const settled = this.#standings.get(socket);
    if (settled !== undefined) return settled;
    const standing = standingOf(socket, this.#rules);
    this.#standings.set(socket, standing);
    if (standing.known && !socket.destroyed) this.#remember(socket, standing.peer);
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
