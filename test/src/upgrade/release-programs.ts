import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { runKeydctl } from '@sigv4-keyd/keydctl';
import type { Test } from 'tap';
import { withNodeOptions } from '../support/own-node-options.js';
import { mainOf } from '../support/victim.js';
import { newestRelease } from './releases.js';

export type Service = 'master-keyd' | 'region-keyd' | 'edge-verifier';

/** The services of one release. */
export interface Programs {
  /** The path of its main file. */
  readonly main: (service: Service) => string;
}

export const TODAYS: Programs = { main: mainOf };

interface Keydctl {
  readonly runKeydctl: typeof runKeydctl;
}

/** All programs of an earlier release; keydctl as a function. */
export interface ReleasePrograms extends Programs, Keydctl {
  readonly release: string;
}

const GROUPS = ['packages', 'services'] as const;

/** False when the commit of the newest release is here; otherwise why tests with its programs are skipped. */
export function releaseMissing(): string | false {
  const { release, commit } = newestRelease();
  const { status } = spawnSync('git', ['cat-file', '-e', `${commit}^{commit}`]);
  return status === 0 ? false : `NO GIT HISTORY WITH RELEASE ${release} HERE (${commit}): its programs did not run`;
}

/**
 * The programs of the newest release, made of the repository's own history, with the dependencies that are installed
 * now. Gone after the test.
 */
export async function releasePrograms(t: Test): Promise<ReleasePrograms> {
  const { release, commit } = newestRelease();
  const root = mkdtempSync(join(tmpdir(), 'keyd-release-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  checkOut(commit, root);
  const folders = GROUPS.flatMap((group) => readdirSync(join(root, group)).map((name) => join(group, name)));
  for (const folder of folders) linkDependencies(root, folder, folders);
  compile(root, folders);
  const keydctl = pathToFileURL(join(root, 'packages/keydctl/dist/index.js')).href;
  const { runKeydctl } = (await import(keydctl)) as Keydctl;
  return {
    release,
    runKeydctl,
    main: (service) => join(root, 'services', service, 'dist', 'main.js'),
  };
}

function checkOut(commit: string, root: string): void {
  const archive = join(root, 'archive.tar');
  execFileSync('git', ['archive', '--output', archive, commit, 'package.json', 'tsconfig.base.json', ...GROUPS]);
  execFileSync('tar', ['-xf', archive, '-C', root]);
}

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Packages of the release find each other, and of all others those that the package of today has. */
function linkDependencies(root: string, folder: string, folders: readonly string[]): void {
  const manifestOf = (each: string): Manifest =>
    JSON.parse(readFileSync(join(root, each, 'package.json'), 'utf8')) as Manifest;
  const own = new Map(folders.map((each) => [manifestOf(each).name, each]));
  const { dependencies, optionalDependencies } = manifestOf(folder);
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const link = join(root, folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    const sibling = own.get(name);
    const installed = resolve(folder, 'node_modules', name);
    if (sibling !== undefined) symlinkSync(relative(dirname(link), join(root, sibling)), link);
    else if (existsSync(installed)) symlinkSync(realpathSync(installed), link);
    else if (dependencies?.[name] !== undefined)
      throw new Error(`${folder}: the release needs ${name}: keep it in test`);
  }
}

/** Only takes the types off: they were checked when the release was made. */
function compile(root: string, folders: readonly string[]): void {
  const compilerOptions = {
    ...{ rootDir: '.', outDir: 'built', types: [], noCheck: true, noResolve: true },
    ...{ composite: false, declaration: false, declarationMap: false, sourceMap: false },
  };
  const include = GROUPS.map((group) => `${group}/*/src`);
  const project = join(root, 'tsconfig.programs.json');
  writeFileSync(project, JSON.stringify({ extends: './tsconfig.base.json', compilerOptions, include }));
  const [command, ...args] = withNodeOptions('', [resolve('node_modules/.bin/tsc'), '-p', project]);
  execFileSync(command, args, { stdio: 'pipe' });
  for (const folder of folders) renameSync(join(root, 'built', folder, 'src'), join(root, folder, 'dist'));
}
