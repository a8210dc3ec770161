import type { LoadSettings } from './load.js';

/** A server program of this part, or the edge as it is deployed, with settings. */
export type Server =
  | { readonly program: 'bare-fastify' | 'bare-proxy' }
  | {
      readonly program: 'edge';
      readonly front: 'forwardAuth' | 'proxy';
      readonly origin: 'request-line' | 'x-original';
      /** Processes that verify. */
      readonly workers: number;
    };

export interface Contender {
  readonly name: string;
  readonly server: Server;
  readonly kind: LoadSettings['kind'];
}

/** Two servers that get the same load, one after the other. */
export interface Scenario {
  readonly name: string;
  /** Who takes part beside the server and who sends. */
  readonly third: 'nobody' | 'upstream' | 'nginx';
  readonly connections: number;
  readonly requests: number;
  readonly bodyBytes: number;
  /** Who checks nothing. */
  readonly bare: Contender;
  readonly edge: Contender;
}

const MANY = { connections: 32, requests: 1_024, bodyBytes: 0, third: 'nobody' } as const;
const BARE_FASTIFY: Server = { program: 'bare-fastify' };
const BARE_PROXY: Server = { program: 'bare-proxy' };
const ASKED_BY_ENVOY: Server = { program: 'edge', front: 'forwardAuth', origin: 'request-line', workers: 1 };
const ASKED_BY_NGINX: Server = { program: 'edge', front: 'forwardAuth', origin: 'x-original', workers: 1 };
const PROXY: Server = { program: 'edge', front: 'proxy', origin: 'request-line', workers: 1 };

export const FORWARD_AUTH_GET: Scenario = {
  ...MANY,
  name: 'forward-auth, GET',
  bare: { name: 'bare Fastify, an empty 204', server: BARE_FASTIFY, kind: 'get' },
  edge: { name: 'edge', server: ASKED_BY_ENVOY, kind: 'get' },
};

export const FORWARD_AUTH_PRESIGNED: Scenario = {
  ...MANY,
  name: 'forward-auth, presigned GET',
  bare: { name: 'bare Fastify, an empty 204', server: BARE_FASTIFY, kind: 'presigned' },
  edge: { name: 'edge', server: ASKED_BY_ENVOY, kind: 'presigned' },
};

export const BEHIND_NGINX: Scenario = {
  ...MANY,
  name: 'behind nginx auth_request, GET',
  third: 'nginx',
  bare: { name: 'bare Fastify, an empty 204', server: BARE_FASTIFY, kind: 'get' },
  edge: { name: 'edge', server: ASKED_BY_NGINX, kind: 'get' },
};

export const PROXIED_GET: Scenario = {
  ...MANY,
  name: 'proxy, GET of 1 KiB',
  third: 'upstream',
  bare: { name: 'bare undici proxy', server: BARE_PROXY, kind: 'get' },
  edge: { name: 'edge', server: PROXY, kind: 'get' },
};

/** A body in signed chunks of 64 KiB, beside the same data without a signature. */
export const CHUNKED_UPLOAD: Scenario = {
  name: 'proxy, upload of 64 MiB in signed chunks',
  third: 'upstream',
  connections: 2,
  requests: 1,
  bodyBytes: 64 * 1024 * 1024,
  bare: { name: 'bare undici proxy, unsigned', server: BARE_PROXY, kind: 'upload' },
  edge: { name: 'edge', server: PROXY, kind: 'chunked-upload' },
};

export const SCENARIOS: readonly Scenario[] = [
  FORWARD_AUTH_GET,
  FORWARD_AUTH_PRESIGNED,
  PROXIED_GET,
  CHUNKED_UPLOAD,
  BEHIND_NGINX,
];
