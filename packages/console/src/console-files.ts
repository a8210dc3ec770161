import { readdir, readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { CONSOLE_PATH } from './addresses.js';

export interface ConsoleFile {
  /** Of its URL. */
  readonly path: string;
  readonly type: string;
  readonly body: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.js': 'text/javascript; charset=utf-8',
};
const FOLDERS = [new URL('../static/', import.meta.url), new URL('./page/', import.meta.url)];
const START_PAGE = 'index.html';

/** The whole page, read once: what is served is this list, so that no request can name a file. */
export async function readConsoleFiles(): Promise<readonly ConsoleFile[]> {
  const files = await Promise.all(FOLDERS.map(filesIn));
  return files.flat();
}

async function filesIn(folder: URL): Promise<readonly ConsoleFile[]> {
  const names = await readdir(folder);
  const files = names.map(async (name) => {
    const type = TYPES[extname(name)];
    if (type === undefined) return [];
    const path = name === START_PAGE ? CONSOLE_PATH : `${CONSOLE_PATH}${name}`;
    return [{ path, type, body: await readFile(new URL(name, folder)) }];
  });
  return (await Promise.all(files)).flat();
}
