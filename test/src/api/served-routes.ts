import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify';

/** A route as a listener serves it. */
export interface ServedRoute {
  readonly method: string;
  /** As it is defined, with `:name` for what varies. */
  readonly url: string;
  readonly schema: FastifySchema;
  /** Who is served, by the certificate; undefined: the listener asks nobody. */
  readonly roles: readonly string[] | undefined;
}

/** Neither the pages of the console nor what an edge's fronts take of clients. */
export function isOfTheApi({ url }: Pick<ServedRoute, 'url'>): boolean {
  return url !== '/' && !url.startsWith('/console');
}

/** One app of Fastify and the routes that it was given. */
export interface ServedApp {
  readonly app: FastifyInstance;
  readonly routes: readonly ServedRoute[];
}

/** All apps that are made while `make` runs, with their routes. `onApp` sees each before it has any. */
export async function appsMadeBy(
  make: () => Promise<unknown>,
  onApp: (app: FastifyInstance) => void = () => undefined,
): Promise<readonly ServedApp[]> {
  const apps: ServedApp[] = [];
  const listener = (message: unknown): void => {
    const { fastify: app } = message as { readonly fastify: FastifyInstance };
    const routes: ServedRoute[] = [];
    apps.push({ app, routes });
    app.addHook('onRoute', (route) => {
      routes.push(...servedBy(route));
    });
    onApp(app);
  };
  subscribe('fastify.initialization', listener);
  try {
    await make();
  } finally {
    unsubscribe('fastify.initialization', listener);
  }
  return apps;
}

function servedBy({ method, url, schema = {}, config }: RouteOptions): readonly ServedRoute[] {
  const roles = (config as { readonly mtls?: { readonly roles: readonly string[] } } | undefined)?.mtls?.roles;
  // Fastify answers HEAD by itself wherever there is GET.
  const methods = [method].flat().filter((one) => one !== 'HEAD');
  return methods.map((one) => ({ method: one, url, schema, roles }));
}
