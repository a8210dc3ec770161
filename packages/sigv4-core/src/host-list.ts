const NAME = /^(?:[a-z0-9_-]+\.)*[a-z0-9_-]+$/;
const ENTRY = /^(?:\*\.)?(?:(?:[a-z0-9_-]+\.)*[a-z0-9_-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/;

/** A host as clients write it: `HOST`, `HOST:PORT`, `*.SUFFIX` or `*.SUFFIX:PORT`, in lower case. */
export function isHostEntry(text: string): boolean {
  return ENTRY.test(text) && !text.startsWith('*.[');
}

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
