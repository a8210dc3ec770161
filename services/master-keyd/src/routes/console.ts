import { PAGE_HEADERS, type ConsoleFile } from '@sigv4-keyd/console';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';

/** GET /console/ and the files below it: the operators' console. */
export function consoleRoute(app: MtlsApp, files: readonly ConsoleFile[]): void {
  for (const { path, type, body } of files) {
    app.get(path, { config: { mtls: { roles: ['operator'] } } }, (_request, reply) =>
      reply.headers(PAGE_HEADERS).type(type).send(body),
    );
  }
}
