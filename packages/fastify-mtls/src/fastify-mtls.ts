import { Server as TlsServer } from 'node:tls';
import type { FastifyInstance, FastifyPluginCallback, FastifyRequest, RouteOptions } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { CredentialsStore } from './credentials-store.js';
import { MtlsError } from './mtls-error.js';
import { PeerConnections } from './peer-connections.js';
import type { PeerIdentity, PeerRole } from './peer-identity.js';
import { serverTlsOptions } from './server-tls-options.js';
import { isTrustDomain, type SpiffeId } from './spiffe-id.js';
import { TrustedAuthorities } from './trusted-authorities.js';

export interface FastifyMtlsOptions {
  /** Whose peers are served, e.g. 'keyd.example'. */
  readonly trustDomain: string;
  /** The application's meaning of a SPIFFE id of the trust domain; undefined refuses it. Called once per connection. */
  readonly parseIdentity: (id: SpiffeId) => PeerIdentity | undefined;
  readonly credentials: CredentialsStore;
  /** Asked at every request: the reason (for the log) why an identity is not served at present. */
  readonly isRefused?: (identity: PeerIdentity) => string | undefined;
  /** Milliseconds since the epoch. A connection outlives its certificate, so requests are checked against its end. */
  readonly now?: () => number;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    mtls?: { readonly roles: readonly PeerRole[] };
  }
  interface FastifyRequest {
    /** Who is at the other end, by its certificate. */
    peer: PeerIdentity;
  }
  interface FastifyInstance {
    /** Ends the live connections of every identity that the predicate names; returns how many. */
    closeConnectionsOf: (predicate: (peer: PeerIdentity) => boolean) => number;
  }
}

const plugin: FastifyPluginCallback<FastifyMtlsOptions> = (app, options, done) => {
  const { server } = app;
  if (!(server instanceof TlsServer)) {
    done(new MtlsError('FST_MTLS_SERVER_NOT_TLS'));
    return;
  }
  if (!isTrustDomain(options.trustDomain)) {
    done(new TypeError(`trustDomain is no SPIFFE trust domain: ${JSON.stringify(options.trustDomain)}`));
    return;
  }
  const connections = new PeerConnections(options, new TrustedAuthorities(options.credentials.current.ca));
  app.decorateRequest('peer');
  app.decorate('closeConnectionsOf', (predicate: (peer: PeerIdentity) => boolean) => connections.closeOf(predicate));
  app.addHook('onRoute', refuseUndeclaredRoute);
  app.addHook('onRequest', (request, _reply, next) => {
    authenticate(request, connections, options);
    authoriseRole(request);
    next();
  });
  followCredentials(app, server, connections, options.credentials);
  done();
};

function refuseUndeclaredRoute(route: RouteOptions): void {
  const roles = route.config?.mtls?.roles;
  if (roles !== undefined && roles.length > 0) return;
  const name = `${String(route.method)} ${route.url}`;
  const message = `${name} does not declare whom it serves: give it config: { mtls: { roles: [...] } }`;
  throw new MtlsError('FST_MTLS_ROUTE_UNDECLARED', name, message);
}

function authenticate(request: FastifyRequest, connections: PeerConnections, options: FastifyMtlsOptions): void {
  const standing = connections.standingOf(request.raw.socket);
  if (!standing.known) throw new MtlsError(standing.code, standing.detail);
  const now = options.now ?? Date.now;
  if (now() > standing.notAfter) throw new MtlsError('FST_MTLS_CERTIFICATE_EXPIRED', standing.uri);
  const refusal = options.isRefused?.(standing.peer);
  if (refusal !== undefined) throw new MtlsError('FST_MTLS_IDENTITY_REFUSED', `${standing.uri}: ${refusal}`);
  request.peer = standing.peer;
}

// Routes added before this plugin escaped the check at registration; they are refused here.
function authoriseRole(request: FastifyRequest): void {
  if (request.is404) return;
  const roles: readonly string[] | undefined = request.routeOptions.config.mtls?.roles;
  if (roles === undefined) throw new MtlsError('FST_MTLS_ROUTE_UNDECLARED', request.routeOptions.url);
  if (!roles.includes(request.peer.role)) throw new MtlsError('FST_MTLS_WRONG_ROLE', request.peer.role);
}

function followCredentials(
  app: FastifyInstance,
  server: TlsServer,
  connections: PeerConnections,
  credentials: CredentialsStore,
): void {
  const unfollow = credentials.onChange((fresh) => {
    connections.trust(new TrustedAuthorities(fresh.ca));
    server.setSecureContext(serverTlsOptions(fresh));
  });
  app.addHook('onClose', (_app, done) => {
    unfollow();
    done();
  });
  app.addHook('onListen', (done) => {
    // For host 'localhost' Fastify opens a second server that nobody can reach to renew its certificate.
    if (app.addresses().length > 1) app.log.error('certificates reload on the first address only: listen on one');
    done();
  });
}

/** Mutual TLS for Fastify: every request has a `peer`, every route declares the roles that it serves. */
export const fastifyMtls = fastifyPlugin(plugin, { name: 'fastify-mtls', fastify: '5.x' });
