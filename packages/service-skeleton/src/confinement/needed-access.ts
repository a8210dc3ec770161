import { readFileSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { variableOf, type Environment } from '../configuration.js';

/** What a service has to reach outside of its own process, by its configuration and nothing else. */
export interface NeededAccess {
  /** Folders: files in them are replaced, and links in them change, when certificates are renewed. */
  readonly read: readonly string[];
  /** Folders and files. */
  readonly write: readonly string[];
  /** Processes of its own. */
  readonly ownProcesses: boolean;
  /** Native code, as a PKCS#11 module is, in these. */
  readonly nativeCode: boolean;
}

/**
 * What a setting names, as its schema says it: a file that is read, a folder that is written to, native code, a
 * database whose URL may name files, how many processes the service is.
 */
const named = z.looseObject({ names: z.enum(['file', 'folder', 'module', 'database', 'processes']).optional() });

/** Core dumps are emptied there. */
const CORE_DUMP_FILTER = '/proc/self/coredump_filter';
/** Limits, and what metrics tell of the process. */
const OWN_PROCESS = '/proc/self/';

export function neededAccess(schema: z.ZodObject, env: Environment): NeededAccess {
  const read = new Set(codeFolders());
  const write = new Set<string>();
  let ownProcesses = false;
  let nativeCode = false;
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  for (const [setting, property] of Object.entries(properties)) {
    const variable = variableOf(setting);
    const file = env[`${variable}_FILE`];
    if (file) read.add(folderOf(file));
    const { names } = named.parse(typeof property === 'boolean' ? {} : property);
    if (names === 'database') {
      const url = file ? readFileSync(file, 'utf8') : (env[variable] ?? '');
      for (const path of filesOfDatabase(url)) read.add(folderOf(path));
      continue;
    }
    const path = givenIn(env, variable) ?? defaultOf(schema, setting);
    if (names === undefined || path === undefined) continue;
    if (names === 'processes') {
      ownProcesses ||= path !== '1';
      continue;
    }
    if (names === 'folder') for (const paths of [read, write]) paths.add(resolve(path));
    else read.add(folderOf(path));
    nativeCode ||= names === 'module';
  }
  if (process.platform === 'linux') {
    read.add(OWN_PROCESS);
    write.add(CORE_DUMP_FILTER);
  }
  return { read: outermost(read), write: outermost(write), ownProcesses: ownProcesses || nativeCode, nativeCode };
}

/** Without those that lie within others: Node.js 20 loses a folder when one within it is named, too. */
function outermost(paths: ReadonlySet<string>): readonly string[] {
  return [...paths].filter((path) => [...paths].every((other) => other === path || !path.startsWith(within(other))));
}

function within(folder: string): string {
  return folder.endsWith(sep) ? folder : folder + sep;
}

function folderOf(file: string): string {
  return dirname(resolve(file));
}

/** Certificates and keys of the connection, as libpq names them. */
function filesOfDatabase(url: string): readonly string[] {
  const files = url.matchAll(/[?&]ssl(?:rootcert|cert|key)=([^&\s]+)/g);
  return [...files].map(([, path = '']) => decodeURIComponent(path));
}

/** An empty variable is as good as none. */
function givenIn(env: Environment, variable: string): string | undefined {
  return env[variable] === '' ? undefined : env[variable];
}

function defaultOf(schema: z.ZodObject, setting: string): string | undefined {
  const field = z.instanceof(z.ZodType).safeParse(schema.shape[setting]);
  const parsed = field.data?.safeParse(undefined);
  return typeof parsed?.data === 'string' ? parsed.data : undefined;
}

/**
 * Where our own code is: the folder that it was deployed to, or in a checkout the folders that have code in them, and
 * not what else lies there.
 */
function codeFolders(): readonly string[] {
  const here = fileURLToPath(import.meta.url);
  const deployed = here.indexOf('/node_modules/');
  if (deployed >= 0) return [here.slice(0, deployed)];
  const checkout = fileURLToPath(new URL('../../../..', import.meta.url));
  return ['node_modules', 'packages', 'services'].map((folder) => resolve(checkout, folder));
}
