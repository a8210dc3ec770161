import { register } from 'node:module';
import { pathToFileURL } from 'node:url';

/**
 * Counts what runs of the compiled code of these folders (relative to the root), once it is loaded: to be called before
 * anything imports it.
 */
export function instrument(folders: readonly string[]): void {
  const below = folders.map((folder) => pathToFileURL(folder).href);
  register('./instrumenting-hooks.js', import.meta.url, { data: below });
}
