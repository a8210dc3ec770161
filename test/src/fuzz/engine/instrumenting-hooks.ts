import type { InitializeHook, LoadHook } from 'node:module';
import { fileURLToPath } from 'node:url';
import { createInstrumenter } from 'istanbul-lib-instrument';

let folders: readonly string[] = [];

const instrumenter = createInstrumenter({ esModules: true, compact: true, produceSourceMap: false });

/** Beginnings of URLs. */
export const initialize: InitializeHook<readonly string[]> = (below) => {
  folders = below;
};

/** Puts counters into the project's own modules while they are loaded; nothing else is changed. */
export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context);
  const isOurs = url.endsWith('.js') && folders.some((folder) => url.startsWith(folder));
  if (!isOurs || !loaded.source) return loaded;
  const code = typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString();
  return { ...loaded, source: instrumenter.instrumentSync(code, fileURLToPath(url)) };
};
