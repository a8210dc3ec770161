import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { PAGE_HEADERS, whyRefused } from '@sigv4-keyd/console';
import type { CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import { KeydError } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';

/** Browsers send at least one of these with everything that a page asks for; keydctl and the tiers send none. */
const MARKS_OF_BROWSERS = ['origin', 'sec-fetch-site', 'sec-fetch-mode', 'sec-fetch-dest'] as const;

/**
 * Refuses browsers on every route, unless the console of this master asks: a browser shows the operator's certificate
 * to us whatever page has led it here.
 */
export function serveOwnPagesOnly(app: MtlsApp, credentials: CredentialsStore): void {
  // Forms can send text/plain, and no caller of ours does.
  app.removeContentTypeParser('text/plain');
  let leaf = new X509Certificate(credentials.current.cert);
  const unfollow = credentials.onChange(({ cert }) => {
    leaf = new X509Certificate(cert);
  });
  app.addHook('onClose', (_app, done) => {
    unfollow();
    done();
  });
  app.addHook('onRequest', (request, reply, done) => {
    const { method, headers } = request;
    if (MARKS_OF_BROWSERS.every((mark) => headers[mark] === undefined)) {
      done();
      return;
    }
    reply.headers(PAGE_HEADERS);
    const problem = whyRefused({ method, headers }, { scheme: 'https', isOwnHost: (host) => isNamedIn(leaf, host) });
    done(problem === undefined ? undefined : new KeydError('cross-site', { detail: problem }));
  });
}

function isNamedIn(certificate: X509Certificate, host: string): boolean {
  if (!URL.canParse(`https://${host}`)) return false;
  const name = new URL(`https://${host}`).hostname.replace(/^\[(.*)\]$/, '$1');
  return (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
}
