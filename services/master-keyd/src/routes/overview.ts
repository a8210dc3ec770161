import { overview, OVERVIEW_PATH, spiffeIdOf } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import { authorOf } from '../author.js';
import type { OverviewReader } from '../console/overview-reader.js';

/** GET /v1/overview: the picture of the whole system, for the operators' console. */
export function overviewRoute(app: MtlsApp, reader: OverviewReader): void {
  app.get(
    OVERVIEW_PATH,
    { config: { mtls: { roles: ['operator'] } }, schema: { response: { 200: overview } } },
    async (request) => ({ ...(await reader.read()), operator: spiffeIdOf(authorOf(request).operator) }),
  );
}
