import { connect, type TLSSocket } from 'node:tls';
import { errors, type buildConnector } from 'undici';
import type { Credentials } from './credentials.js';
import { MtlsClientError } from './mtls-client-error.js';
import { verifyServer, type ServerRules } from './server-verification.js';
import type { Timer } from './timer.js';
import { explainTlsFailure } from './tls-failure.js';

export interface ConnectionTime {
  /** For connection and handshake together, milliseconds. */
  readonly withinMilliseconds: number;
  readonly timer: Timer;
}

const KEEP_ALIVE_MILLISECONDS = 10_000;

/** Connections with one set of credentials, handed out only after the server was verified. */
export function mtlsConnector(
  credentials: Credentials,
  rules: ServerRules,
  time: ConnectionTime,
): buildConnector.connector {
  return ({ protocol, hostname, port, servername }, callback) => {
    if (protocol !== 'https:') {
      callback(new MtlsClientError('not-https', `expected an https URL, got ${protocol}//${hostname}`), null);
      return;
    }
    const host = withoutBrackets(hostname);
    const socket = connect({
      host,
      port: port === '' ? 443 : Number(port),
      ...(servername && { servername }),
      cert: credentials.cert,
      key: credentials.key,
      ca: credentials.ca,
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: true,
      // Node would ask for a DNS name; `verifyServer` asks for more, and on every connection. No session is resumed: it
      // would show the certificate of the first handshake, which may have expired since.
      checkServerIdentity: () => undefined,
    });
    // A peer that is gone without a word is noticed on idle connections, too, and firewalls keep their state.
    socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MILLISECONDS);
    const within = time.withinMilliseconds;
    const cancel = time.timer.after(within, () =>
      socket.destroy(new errors.ConnectTimeoutError(`no connection with ${hostname}:${port} within ${within} ms`)),
    );
    const fail = (error: Error): void => {
      cancel();
      callback(explainTlsFailure(error), null);
    };
    socket.once('error', fail);
    socket.once('secureConnect', () => {
      cancel();
      const refusal = refusalOf(socket, host, rules);
      // Whoever is handed the connection listens to its errors; what is destroyed has nobody to tell.
      if (refusal === undefined) {
        socket.off('error', fail);
        callback(null, socket);
        return;
      }
      socket.off('error', fail).on('error', () => undefined);
      socket.destroy();
      callback(refusal, null);
    });
  };
}

function refusalOf(socket: TLSSocket, host: string, rules: ServerRules): Error | undefined {
  try {
    verifyServer(socket, host, rules);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

// URLs write [::1] where certificates and sockets have ::1.
function withoutBrackets(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}
