import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenApi } from '../api/openapi.js';
import type { KeptFiles } from './kept-files.js';

/** What is kept of each release, by its number. */
export const RELEASES = 'test/releases';

/** A feed as it was published once: documents of real signatures, the keys to check them by, and the state file. */
export interface RecordedFeed {
  readonly at: number;
  readonly jwks: string;
  readonly beacon: string;
  readonly facts: readonly string[];
  readonly state: string;
}

export interface RecordedRelease {
  readonly release: string;
  readonly forms: Readonly<Record<string, string>>;
  /** Messages as JSON, by what they are. */
  readonly messages: Readonly<Record<string, string>>;
  readonly kept: KeptFiles;
  readonly feed: RecordedFeed;
  readonly migrations: readonly { readonly name: string; readonly checksum: string }[];
  /** By the name of the service. */
  readonly api: ReadonlyMap<string, OpenApi>;
}

/** The newest of them, and the commit that it was made of. */
export function newestRelease(): { readonly release: string; readonly commit: string } {
  const releases = readdirSync(RELEASES).toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const release = releases.at(-1) ?? '';
  return { release, commit: readFileSync(join(RELEASES, release, 'commit'), 'utf8').trim() };
}

export function recordedReleases(): readonly RecordedRelease[] {
  return readdirSync(RELEASES).map((release) => {
    const read = (file: string): unknown => JSON.parse(readFileSync(join(RELEASES, release, file), 'utf8'));
    const api = readdirSync(join(RELEASES, release, 'api')).map(
      (file) => [file.replace('.json', ''), read(join('api', file)) as OpenApi] as const,
    );
    return { release, api: new Map(api), ...(read('wire.json') as Omit<RecordedRelease, 'release' | 'api'>) };
  });
}
