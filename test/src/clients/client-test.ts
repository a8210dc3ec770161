import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { ODD_KEYS, OPERATIONS, type ClientRow, type OddKey, type Operation, type Outcome } from './operations.js';
import { LARGE, startSite, type Site } from './site.js';

/** Where one operation of a client goes. */
export interface Errand {
  readonly site: Site;
  readonly endpoint: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

/** A client as it comes. Every call rejects when the client says that it failed. */
export interface Client {
  readonly put: (errand: Errand, key: string, body: string) => Promise<unknown>;
  /** The very content. */
  readonly get: (errand: Errand, key: string, range?: string) => Promise<string>;
  /** Like `put`, for a body in parts or chunks. */
  readonly putLarge?: Client['put'];
  readonly canRange?: boolean;
  readonly list?: (errand: Errand, prefix: string, pageSize?: number) => Promise<readonly string[]>;
  readonly canPage?: boolean;
  readonly copy?: (errand: Errand, from: string, to: string) => Promise<unknown>;
  readonly remove?: (errand: Errand, key: string) => Promise<unknown>;
  readonly presignGet?: (errand: Errand, key: string) => Promise<string>;
  readonly presignPut?: (errand: Errand, key: string) => Promise<string>;
  /** Keys that the client itself cannot name. */
  readonly cannotName?: readonly OddKey[];
}

export interface ClientTest {
  readonly name: string;
  /** Why it cannot be tested here, or false. */
  readonly skip: string | false;
  readonly client: (site: Site) => Client | Promise<Client>;
}

const MATRIX = 'test/clients.json';
const WRITE = process.env['KEYD_WRITE_CLIENTS'] !== undefined;

/** Lets a client do everything that it can, and compares with what the table in the docs says of it. */
export function testClient({ name, skip, client }: ClientTest): void {
  t.setTimeout(600_000);
  t.test(`${name}, unmodified, before an S3-like store`, { skip }, async (t) => {
    const site = await startSite(t);
    const row = await rowOf(site, await client(site));
    const matrix = JSON.parse(readFileSync(MATRIX, 'utf8')) as Record<string, ClientRow>;
    if (WRITE) writeFileSync(MATRIX, `${JSON.stringify({ ...matrix, [name]: row }, null, 2)}\n`);
    else t.same(row, matrix[name], 'as the table says; KEYD_WRITE_CLIENTS=1 writes it anew, then npm run docs');
  });
}

async function rowOf(site: Site, client: Client): Promise<ClientRow> {
  const errand = { site, endpoint: site.https, secretAccessKey: site.secretAccessKey, region: site.region };
  const attempt = async (task: (() => Promise<unknown>) | undefined): Promise<Outcome> => {
    if (!task) return 'not offered';
    site.refusals();
    const failure = await task().then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error : new Error('the client failed')),
    );
    const [refused] = site.refusals();
    if (failure === undefined) return refused === undefined ? 'works' : 'corrected';
    if (process.env['KEYD_TELL']) process.stderr.write(`${failure.message}\n`);
    return refused === undefined ? 'not kept' : `refused: ${refused}`;
  };
  const roundTrip = (one: Errand, key: string) => async (): Promise<void> => {
    await client.put(one, key, `the content of ${key}`);
    expectSame(await client.get(one, key), `the content of ${key}`);
  };
  const { putLarge, list, copy, remove, presignGet, presignPut } = client;
  const tasks: Readonly<Record<Operation, (() => Promise<unknown>) | undefined>> = {
    upload: async () => {
      await client.put(errand, 'small', 'small content');
      expectSame(await stored(site, 'small'), 'small content');
    },
    'upload over HTTP': async () => {
      await client.put({ ...errand, endpoint: site.http }, 'plain', 'over HTTP');
      expectSame(await stored(site, 'plain'), 'over HTTP');
    },
    'upload 20 MiB':
      putLarge &&
      (async () => {
        await putLarge(errand, 'large', LARGE);
        expectSame(await stored(site, 'large'), LARGE);
      }),
    download: async () => expectSame(await client.get(errand, 'small'), 'small content'),
    'download a range': client.canRange
      ? async () => expectSame(await client.get(errand, 'small', 'bytes=0-4'), 'small')
      : undefined,
    list:
      list &&
      (async () => {
        for (const key of ['of/a b+c', 'of/ü', 'of/z']) await store(site, key);
        expectSame((await list(errand, 'of/')).join(), ['of/a b+c', 'of/z', 'of/ü'].join());
      }),
    'list in pages':
      list && client.canPage
        ? async () => expectSame((await list(errand, 'of/', 1)).join(), ['of/a b+c', 'of/z', 'of/ü'].join())
        : undefined,
    copy:
      copy &&
      (async () => {
        await copy(errand, 'small', 'copied');
        expectSame(await stored(site, 'copied'), 'small content');
      }),
    delete:
      remove &&
      (async () => {
        await store(site, 'doomed');
        await remove(errand, 'doomed');
        expectSame(String((await fetch(urlOf(site, 'doomed'))).status), '404');
      }),
    'presigned GET':
      presignGet &&
      (async () => {
        expectSame(await fetched(site, await presignGet(errand, 'small')), 'small content');
      }),
    'presigned PUT':
      presignPut &&
      (async () => {
        await fetched(site, await presignPut(errand, 'presigned'), 'presigned content');
        expectSame(await stored(site, 'presigned'), 'presigned content');
      }),
    'wrong secret': () => client.get({ ...errand, secretAccessKey: 'wrong'.repeat(8) }, 'small'),
    'wrong region': () => client.get({ ...errand, region: 'us-west-2' }, 'small'),
    'clock 20 minutes off': () => client.get({ ...errand, endpoint: site.skewed }, 'small'),
  };
  const operations = {} as Record<Operation, Outcome>;
  for (const operation of OPERATIONS) operations[operation] = await attempt(tasks[operation]);
  const keys = {} as Record<OddKey, Outcome>;
  for (const key of ODD_KEYS)
    keys[key] = await attempt(client.cannotName?.includes(key) ? undefined : roundTrip(errand, key));
  return { operations, keys };
}

function expectSame(actual: string, expected: string): void {
  if (actual !== expected) throw new Error(`${actual.slice(0, 80)} instead of ${expected.slice(0, 80)}`);
}

function urlOf({ store: origin, bucket }: Site, key: string): string {
  return `${origin}/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
}

/** What the store itself has. */
async function stored(site: Site, key: string): Promise<string> {
  return (await fetch(urlOf(site, key))).text();
}

async function store(site: Site, key: string): Promise<void> {
  await fetch(urlOf(site, key), { method: 'PUT', body: key });
}

/** A presigned URL as anybody would use it. */
async function fetched({ ca }: Site, url: string, body?: string): Promise<string> {
  const upload = body === undefined ? [] : ['-X', 'PUT', '--data-binary', body, '-H', 'content-type:'];
  const { stdout } = await promisify(execFile)('curl', ['-sS', '--fail', '--cacert', ca, ...upload, url]);
  return stdout;
}

/** Runs a client's program in an environment without any other access key; rejects with what it printed. */
export async function run(
  program: string,
  args: readonly string[],
  { site, secretAccessKey, region }: Errand,
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: site.folder,
    LANG: 'C.UTF-8',
    AWS_ACCESS_KEY_ID: site.accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_DEFAULT_REGION: region,
    AWS_REGION: region,
    AWS_CA_BUNDLE: site.ca,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_MAX_ATTEMPTS: '2',
    ...more,
  };
  const { stdout } = await promisify(execFile)(program, [...args], { env, maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

let files = 0;

/** A file with this content. */
export function fileWith({ site }: Errand, content: string): string {
  files += 1;
  const path = join(site.folder, `file-${files}`);
  writeFileSync(path, content);
  return path;
}

/** A path for a file that a client writes. */
export function newFile({ site }: Errand): string {
  files += 1;
  return join(site.folder, `file-${files}`);
}

/** What a program prints of itself; undefined when it is not there. */
export function versionOf(program: string, ...args: readonly string[]): string | undefined {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch {
    return undefined;
  }
}

export function notInstalled(name: string): string {
  return `${name.toUpperCase()} IS NOT INSTALLED HERE: its row of the table was not tested`;
}
