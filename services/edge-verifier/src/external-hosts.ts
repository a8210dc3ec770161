import { list } from '@sigv4-keyd/service-skeleton';

const NAME = /^(?:[a-z0-9_-]+\.)*[a-z0-9_-]+$/;
const ENTRY = /^(?:\*\.)?(?:(?:[a-z0-9_-]+\.)*[a-z0-9_-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/;

/** Hosts as clients write them: `HOST`, `HOST:PORT`, `*.SUFFIX` or `*.SUFFIX:PORT`, in any case. */
export const externalHosts = list.transform((entries, context): readonly string[] =>
  entries.flatMap((text) => {
    const entry = text.toLowerCase();
    if (ENTRY.test(entry) && !entry.startsWith('*.[')) return [entry];
    context.issues.push({ code: 'custom', input: text, message: `${text} must be HOST, HOST:PORT or *.SUFFIX` });
    return [];
  }),
);

/**
 * Whether a Host header names a host that is served. The port counts: `HOST` alone is the host as clients write it on a
 * default port. A wildcard stands for one or more labels (bucket names hold dots), never for none.
 */
export function hostMatcher(entries: readonly string[]): (host: string) => boolean {
  const exact = new Set(entries.filter((entry) => !entry.startsWith('*.')));
  const suffixes = entries.filter((entry) => entry.startsWith('*.')).map((entry) => entry.slice(1));
  return (written) => {
    const host = written.toLowerCase();
    if (exact.has(host)) return true;
    return suffixes.some((suffix) => host.endsWith(suffix) && NAME.test(host.slice(0, -suffix.length)));
  };
}
