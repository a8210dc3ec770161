import { EDGE_LIFETIMES, edgeKeysSettings } from '@sigv4-keyd/edge-keys';
import { metricsListen, related, serviceSettings, tracesSettings } from '@sigv4-keyd/service-skeleton';
import { z } from 'zod';
import { frontSettings } from './front-settings.js';
import { workers } from './workers/setting.js';

const settings = z.object({
  ...serviceSettings,
  metricsListen,
  ...tracesSettings,
  ...edgeKeysSettings,
  ...frontSettings,
  workers,
});

/** The settings of edge-verifier. Its region and service are not among them: its certificate says so. */
export const configuration = related(settings, [
  {
    between: ['proxyTlsListen', 'proxyTlsCert', 'proxyTlsKey'],
    problem: (settings) =>
      isAllOrNothing(tlsSettingsOf(settings))
        ? undefined
        : 'KEYD_PROXY_TLS_LISTEN, KEYD_PROXY_TLS_CERT and KEYD_PROXY_TLS_KEY belong together: set all three or none',
  },
  {
    between: ['proxyListen', 'proxyTlsListen', 'forwardAuthListen'],
    problem: (settings) =>
      hasProxy(settings) || settings.forwardAuthListen !== undefined
        ? undefined
        : 'nothing to serve: set KEYD_PROXY_LISTEN, KEYD_PROXY_TLS_LISTEN or KEYD_FORWARD_AUTH_LISTEN',
  },
  {
    between: ['proxyListen', 'proxyTlsListen', 'upstream'],
    problem: (settings) =>
      hasProxy(settings) && settings.upstream === undefined
        ? 'KEYD_UPSTREAM is missing: the reverse proxy needs one'
        : undefined,
  },
  {
    between: ['proxyListen', 'proxyTlsListen', 'upstream'],
    problem: (settings) =>
      !hasProxy(settings) && settings.upstream !== undefined
        ? 'KEYD_UPSTREAM is set without KEYD_PROXY_LISTEN or KEYD_PROXY_TLS_LISTEN; set one of them or remove it'
        : undefined,
  },
  {
    between: ['postForms', 'presigned'],
    problem: ({ postForms, presigned }) =>
      postForms && !presigned
        ? 'KEYD_POST_FORMS=yes needs KEYD_PRESIGNED=yes: forms are signed beforehand, too'
        : undefined,
  },
  {
    between: ['bodyInMemory', 'largestBody'],
    problem: ({ bodyInMemory, largestBody }) =>
      bodyInMemory > largestBody ? 'KEYD_BODY_IN_MEMORY must not be above KEYD_LARGEST_BODY' : undefined,
  },
  {
    between: ['smallestChunk', 'largestChunk'],
    problem: ({ smallestChunk, largestChunk }) =>
      smallestChunk > largestChunk ? 'KEYD_SMALLEST_CHUNK must not be above KEYD_LARGEST_CHUNK' : undefined,
  },
  ...EDGE_LIFETIMES,
]);

export type Configuration = z.output<typeof configuration>;

/** Whether a reverse proxy was asked for, over either listener. */
function hasProxy(settings: { readonly proxyListen?: unknown; readonly proxyTlsListen?: unknown }): boolean {
  return settings.proxyListen !== undefined || settings.proxyTlsListen !== undefined;
}

function tlsSettingsOf(settings: {
  readonly proxyTlsListen?: unknown;
  readonly proxyTlsCert?: unknown;
  readonly proxyTlsKey?: unknown;
}): readonly unknown[] {
  return [settings.proxyTlsListen, settings.proxyTlsCert, settings.proxyTlsKey];
}

function isAllOrNothing(settings: readonly unknown[]): boolean {
  return !settings.includes(undefined) || settings.every((setting) => setting === undefined);
}
