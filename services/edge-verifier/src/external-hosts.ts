import { list } from '@sigv4-keyd/service-skeleton';
import { isHostEntry } from '@sigv4-keyd/sigv4-core';

/** Hosts as clients write them: `HOST`, `HOST:PORT`, `*.SUFFIX` or `*.SUFFIX:PORT`, in any case. */
export const externalHosts = list.transform((entries, context): readonly string[] =>
  entries.flatMap((text) => {
    const entry = text.toLowerCase();
    if (isHostEntry(entry)) return [entry];
    context.issues.push({ code: 'custom', input: text, message: `${text} must be HOST, HOST:PORT or *.SUFFIX` });
    return [];
  }),
);
