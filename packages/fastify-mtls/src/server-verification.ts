import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { certificateIdentity } from './certificate-identity.js';
import { MtlsClientError } from './mtls-client-error.js';
import type { SpiffeId } from './spiffe-id.js';
import { subjectAltNames } from './subject-alt-names.js';

export interface ServerRules {
  readonly trustDomain: string;
  readonly acceptsServer: (id: SpiffeId) => boolean;
}

/**
 * Judges the server at the other end of a completed handshake, before any byte of a request is sent. Node's own hook
 * for this (`checkServerIdentity`) is skipped on resumed sessions; this is called on every connection.
 *
 * The dialled host is checked when the certificate names hosts. One that names none (as SPIRE issues them) rests on its
 * SPIFFE id alone. That is safe: the id is what authenticates, whoever holds it is the server that was meant, and a
 * wrong address can at worst lead to another holder of an id that `acceptsServer` accepts, or to nobody.
 * @throws MtlsClientError
 */
export function verifyServer(socket: TLSSocket, hostname: string, rules: ServerRules): void {
  const protocol = socket.getProtocol();
  if (protocol !== 'TLSv1.3') {
    throw new MtlsClientError('server-without-tls13', `expected TLSv1.3, got ${protocol ?? 'no protocol'}`);
  }
  // Once a connection, here only: at a client, Node takes the leaf out of the chain, and would next return its issuer.
  const certificate = socket.getPeerX509Certificate();
  if (!socket.authorized || certificate === undefined) {
    throw new MtlsClientError('server-untrusted', `${hostname} showed no certificate of an authority of our ca file`);
  }
  checkSpiffeId(certificate, hostname, rules);
  checkHost(certificate, hostname);
}

function checkSpiffeId(certificate: X509Certificate, hostname: string, rules: ServerRules): void {
  const identity = certificateIdentity(certificate);
  if (!identity.ok) {
    const message = `${hostname}: expected exactly one SPIFFE id, got ${identity.came} (${identity.problem})`;
    throw new MtlsClientError('server-without-spiffe-id', message);
  }
  const { id } = identity;
  if (id.trustDomain === rules.trustDomain && rules.acceptsServer(id)) return;
  const message = `${hostname}: expected a server of ${rules.trustDomain} that may be asked, got ${id.uri}`;
  throw new MtlsClientError('server-identity-refused', message);
}

function checkHost(certificate: X509Certificate, hostname: string): void {
  const names = subjectAltNames(certificate);
  const hosts = names === undefined ? [] : [...names.dnsNames, ...names.ipAddresses];
  if (hosts.length === 0 || namesHost(certificate, hostname)) return;
  const message = `expected a certificate for ${hostname}, got one for ${hosts.join(', ').slice(0, 200)}`;
  throw new MtlsClientError('server-host-mismatch', message);
}

function namesHost(certificate: X509Certificate, hostname: string): boolean {
  if (isIP(hostname) !== 0) return certificate.checkIP(hostname) !== undefined;
  return certificate.checkHost(hostname, { subject: 'never', partialWildcards: false }) !== undefined;
}
