import type { TlsFiles } from '@sigv4-keyd/fastify-mtls';
import { readCredentials } from '@sigv4-keyd/fastify-mtls';
import type { Outcome } from '../../command-line/outcome.js';
import { shortInstant } from '../../presentation/age.js';
import { facts } from '../../presentation/table.js';

/** What there is now: the files are read back, so that what is told is what a service will find. */
export async function certificateOutcome(files: TlsFiles): Promise<Outcome> {
  const { spiffeId, notBefore, notAfter } = await readCredentials(files);
  return {
    document: { spiffeId, ...files, notBefore: notBefore.toISOString(), notAfter: notAfter.toISOString() },
    text: (paint) =>
      facts(paint, [
        ['identity', paint.bold(spiffeId)],
        ['certificate', files.cert],
        ['private key', files.key],
        ['authorities', files.ca],
        ['good until', shortInstant(notAfter)],
      ]),
  };
}
