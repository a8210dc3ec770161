import type { TLSSocket } from 'node:tls';
import { certificateIdentity, certificateValidity, type IdentityProblem } from './certificate-identity.js';
import type { MtlsErrorCode } from './mtls-error.js';
import type { PeerIdentity } from './peer-identity.js';
import type { SpiffeId } from './spiffe-id.js';
import type { TrustedAuthorities } from './trusted-authorities.js';

/** What a connection's certificate amounts to: no renegotiation can change it in TLS 1.3, new authorities can. */
export type PeerStanding =
  | { readonly known: true; readonly peer: PeerIdentity; readonly uri: string; readonly notAfter: number }
  | { readonly known: false; readonly code: MtlsErrorCode; readonly detail?: string };

export interface PeerRules {
  readonly trustDomain: string;
  readonly parseIdentity: (id: SpiffeId) => PeerIdentity | undefined;
}

const CODE_OF_PROBLEM: Readonly<Record<IdentityProblem, MtlsErrorCode>> = {
  'no-spiffe-id': 'FST_MTLS_NO_SPIFFE_ID',
  'several-uri-sans': 'FST_MTLS_SEVERAL_URI_SANS',
  'malformed-spiffe-id': 'FST_MTLS_MALFORMED_SPIFFE_ID',
  'authority-as-peer': 'FST_MTLS_AUTHORITY_AS_PEER',
};

/** The handshake has checked the chain already; asking again keeps a server with laxer TLS options closed. */
export function standingOf(socket: TLSSocket, rules: PeerRules, authorities: TrustedAuthorities): PeerStanding {
  const certificate = socket.getPeerX509Certificate();
  if (!socket.authorized || certificate === undefined || socket.getProtocol() !== 'TLSv1.3') {
    return { known: false, code: 'FST_MTLS_NO_CERTIFICATE' };
  }
  const identity = certificateIdentity(certificate);
  if (!identity.ok) return { known: false, code: CODE_OF_PROBLEM[identity.problem], detail: identity.came };
  const { id } = identity;
  if (!authorities.vouchFor(certificate)) {
    return { known: false, code: 'FST_MTLS_AUTHORITY_WITHDRAWN', detail: id.uri };
  }
  if (id.trustDomain !== rules.trustDomain) {
    return { known: false, code: 'FST_MTLS_WRONG_TRUST_DOMAIN', detail: id.uri };
  }
  const peer = rules.parseIdentity(id);
  if (peer === undefined) return { known: false, code: 'FST_MTLS_UNKNOWN_IDENTITY', detail: id.uri };
  return { known: true, peer, uri: id.uri, notAfter: certificateValidity(certificate).notAfter.getTime() };
}
