import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** Everything that the stack keeps, in one folder. */
export interface StateFolder {
  readonly folder: string;
  readonly lock: string;
  readonly pki: string;
  readonly authority: string;
  readonly postgres: string;
  readonly logs: string;
  /** A folder a tier for what it keeps. */
  readonly tiers: string;
  /** The keys that sign revocations, beacons and lifts; the last are for the operator, and no service gets them. */
  readonly feedKeys: string;
  /** The key that signs the checkpoints of the ledger, and its public half. */
  readonly ledgerKey: string;
  readonly custodyKey: string;
  readonly databaseUrl: string;
  readonly accessKey: string;
  /** What `--json` prints, for npm run tour. */
  readonly facts: string;
}

export function stateFolder(path: string): StateFolder {
  const folder = resolve(path);
  return {
    folder,
    lock: join(folder, 'lock'),
    pki: join(folder, 'pki'),
    authority: join(folder, 'pki', 'ca'),
    postgres: join(folder, 'postgres'),
    logs: join(folder, 'logs'),
    tiers: join(folder, 'tiers'),
    feedKeys: join(folder, 'feed-keys'),
    ledgerKey: join(folder, 'ledger-key'),
    custodyKey: join(folder, 'custody.key'),
    databaseUrl: join(folder, 'database-url'),
    accessKey: join(folder, 'access-key.json'),
    facts: join(folder, 'stack.json'),
  };
}

/** May be passed by others (PostgreSQL runs as nobody when we are root), not listed; what is secret in it is 0600. */
export async function makeStateFolder(state: StateFolder): Promise<void> {
  await mkdir(state.folder, { recursive: true, mode: 0o711 });
  await mkdir(state.logs, { recursive: true, mode: 0o700 });
}

/** The folders of the tiers that keep something, by the name of their program. */
export async function makeTierFolders(state: StateFolder, names: readonly string[]): Promise<void> {
  for (const name of names) await mkdir(join(state.tiers, name), { recursive: true, mode: 0o700 });
}

/** Writes a file that only this user may read, whole or not at all. */
export async function writePrivate(file: string, text: string): Promise<void> {
  const unfinished = `${file}.unfinished`;
  await writeFile(unfinished, text, { mode: 0o600 });
  await rename(unfinished, file);
}
