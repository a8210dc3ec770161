/** The least that an identity has: the role by which routes name those they serve. */
export interface RoleBearer {
  readonly role: string;
}

/**
 * The application says here what its identities are, once:
 *
 *     declare module '@sigv4-keyd/fastify-mtls' {
 *       interface FastifyMtlsTypes { readonly identity: MyIdentity }
 *     }
 *
 * and `request.peer`, `parseIdentity` and the roles of routes have that type.
 */
export interface FastifyMtlsTypes {
  readonly leastIdentity: RoleBearer;
}

export type PeerIdentity = FastifyMtlsTypes extends { readonly identity: infer Identity extends RoleBearer }
  ? Identity
  : RoleBearer;

export type PeerRole = PeerIdentity['role'];
