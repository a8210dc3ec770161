const NAME = /^(?:[a-z0-9_-]+\.)*[a-z0-9_-]+$/;
const ENTRY = /^(?:\*\.)?(?:(?:[a-z0-9_-]+\.)*[a-z0-9_-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/;

/** A host as clients write it: `HOST`, `HOST:PORT`, `*.SUFFIX` or `*.SUFFIX:PORT`, in lower case. */
export function isHostEntry(text: string): boolean {
  return ENTRY.test(text) && !text.startsWith('*.[');
}

/** How a Host header is served: listed itself, or below a wildcard, with the labels that stand for the "*". */
export type HostMatch = { readonly kind: 'exact' } | { readonly kind: 'wildcard'; readonly labels: string };

const EXACT: HostMatch = { kind: 'exact' };

/**
 * Finds a Host header in the list. The port counts: `HOST` alone is the host as clients write it on a default port. A
 * wildcard stands for one or more labels (bucket names hold dots), never for none; of several the longest one counts,
 * and a host that is listed itself is below none.
 */
export function hostFinder(entries: readonly string[]): (host: string) => HostMatch | undefined {
  const exact = new Set(entries.filter((entry) => !entry.startsWith('*.')));
  const suffixes = entries
    .filter((entry) => entry.startsWith('*.'))
    .map((entry) => entry.slice(1))
    .sort((one, other) => other.length - one.length);
  return (written) => {
    if (exact.has(written)) return EXACT;
    const host = written.toLowerCase();
    if (exact.has(host)) return EXACT;
    const suffix = suffixes.find((one) => host.endsWith(one) && NAME.test(host.slice(0, -one.length)));
    return suffix === undefined ? undefined : { kind: 'wildcard', labels: host.slice(0, -suffix.length) };
  };
}
