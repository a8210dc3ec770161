import { constants } from 'node:crypto';
import type { Credentials } from './credentials.js';

export interface ServerTlsOptions {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer;
  readonly requestCert: true;
  readonly rejectUnauthorized: true;
  readonly minVersion: 'TLSv1.3';
  readonly maxVersion: 'TLSv1.3';
  readonly secureOptions: number;
  readonly handshakeTimeout: number;
}

const HANDSHAKE_TIMEOUT_MILLISECONDS = 10_000;

/**
 * For `Fastify({ https })`, and again for `server.setSecureContext`: that call forgets every option it is not given, so
 * there is one place that has them all.
 */
export function serverTlsOptions(credentials: Credentials): ServerTlsOptions {
  return {
    cert: credentials.cert,
    key: credentials.key,
    ca: credentials.ca,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    // A resumed session is not checked again: neither its chain, nor whether its certificate has expired since.
    // So none is resumed; kept-alive connections are what saves handshakes.
    secureOptions: constants.SSL_OP_NO_TICKET,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MILLISECONDS,
  };
}
