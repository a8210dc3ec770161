import { TLSSocket } from 'node:tls';
import { buildConnector } from 'undici';
import type { Credentials } from './credentials.js';
import { MtlsClientError } from './mtls-client-error.js';
import { verifyServer, type ServerRules } from './server-verification.js';
import { explainTlsFailure } from './tls-failure.js';

const KEEP_ALIVE_MILLISECONDS = 10_000;

/** Connections with one set of credentials, handed out only after the server was verified. */
export function mtlsConnector(
  credentials: Credentials,
  rules: ServerRules,
  timeoutMilliseconds: number,
): buildConnector.connector {
  const connect = buildConnector({
    cert: credentials.cert,
    key: credentials.key,
    ca: credentials.ca,
    minVersion: 'TLSv1.3',
    rejectUnauthorized: true,
    // Node would ask for a DNS name; `verifyServer` asks for more, and on every connection.
    checkServerIdentity: () => undefined,
    // A resumed session shows the certificate of the first handshake, which may have expired since.
    maxCachedSessions: 0,
    // A peer that is gone without a word is noticed on idle connections, too, and firewalls keep their state.
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MILLISECONDS,
    timeout: timeoutMilliseconds,
  });
  return (options, callback) => {
    if (options.protocol !== 'https:') {
      callback(
        new MtlsClientError('not-https', `expected an https URL, got ${options.protocol}//${options.hostname}`),
        null,
      );
      return;
    }
    const hostname = withoutBrackets(options.hostname);
    connect({ ...options, hostname }, (error, socket) => {
      if (error !== null) {
        callback(explainTlsFailure(error), null);
        return;
      }
      const refusal = refusalOf(socket, hostname, rules);
      if (refusal === undefined) {
        callback(null, socket);
        return;
      }
      socket.destroy();
      callback(refusal, null);
    });
  };
}

function refusalOf(socket: unknown, hostname: string, rules: ServerRules): Error | undefined {
  if (!(socket instanceof TLSSocket)) return new MtlsClientError('not-https', `${hostname}: expected a TLS connection`);
  try {
    verifyServer(socket, hostname, rules);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

// URLs write [::1] where certificates and sockets have ::1.
function withoutBrackets(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}
