import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import t from 'tap';
import ts from 'typescript';

/**
 * Dependencies point one way: what a folder may import of the project itself, transitively closed by hand. A service
 * imports no service; sigv4-core imports nothing at all.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'packages/sigv4-core': [],
  'packages/sigv4-answers': ['sigv4-core'],
  'packages/sigv4-client': ['sigv4-core', 'payload-streams'],
  'packages/sigv4-server': ['sigv4-core', 'sigv4-answers', 'payload-streams'],
  'packages/payload-streams': ['sigv4-core'],
  'packages/fastify-mtls': [],
  'packages/ledger': ['sigv4-core', 'fastify-mtls'],
  'packages/revocation': ['sigv4-core'],
  'packages/pki': ['fastify-mtls'],
  'packages/pkcs11-custody': [],
  'packages/hop-protocol': ['sigv4-core', 'fastify-mtls', 'revocation', 'ledger'],
  'packages/console': ['hop-protocol'],
  'packages/service-skeleton': ['sigv4-core', 'fastify-mtls', 'revocation', 'ledger', 'hop-protocol'],
  'packages/edge-keys': ['sigv4-core', 'fastify-mtls', 'revocation', 'ledger', 'hop-protocol', 'service-skeleton'],
  'packages/keydctl': [
    'sigv4-core',
    'sigv4-client',
    'fastify-mtls',
    'revocation',
    'ledger',
    'hop-protocol',
    'pki',
    'pkcs11-custody',
    'console',
  ],
  'services/master-keyd': [
    'sigv4-core',
    'fastify-mtls',
    'revocation',
    'ledger',
    'hop-protocol',
    'service-skeleton',
    'pkcs11-custody',
    'console',
  ],
  'services/deputy-keyd': ['sigv4-core', 'fastify-mtls', 'ledger', 'hop-protocol', 'service-skeleton'],
  'services/region-keyd': ['sigv4-core', 'fastify-mtls', 'revocation', 'ledger', 'hop-protocol', 'service-skeleton'],
  'services/custody-signer': ['sigv4-core', 'fastify-mtls', 'ledger', 'hop-protocol', 'service-skeleton'],
  'services/edge-verifier': [
    'sigv4-core',
    'sigv4-answers',
    'payload-streams',
    'fastify-mtls',
    'revocation',
    'ledger',
    'hop-protocol',
    'service-skeleton',
    'edge-keys',
  ],
};

const root = process.cwd();

function* sourceFiles(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sourceFiles(path);
    else if (entry.name.endsWith('.ts')) yield path;
  }
}

function importsOf(folder: string): readonly { readonly file: string; readonly from: string }[] {
  return [...sourceFiles(join(root, folder, 'src'))].flatMap((file) =>
    ts.preProcessFile(readFileSync(file, 'utf8')).importedFiles.map(({ fileName }) => ({ file, from: fileName })),
  );
}

const folders = ['packages', 'services'].flatMap((top) => readdirSync(join(root, top)).map((name) => `${top}/${name}`));

t.test('every folder imports only what lies below it', (t) => {
  for (const folder of folders) {
    const allowed = MAY_IMPORT[folder];
    if (!allowed) {
      t.fail(`${folder} is not in the table: say what it may import`);
      continue;
    }
    const imports = importsOf(folder);
    t.ok(imports.length > 0 || folder === 'packages/sigv4-core', `${folder} was read`);
    const wrong = imports.filter(({ from }) => {
      const [scope, name = ''] = from.split('/');
      return scope === '@sigv4-keyd' && !allowed.includes(name);
    });
    t.same(wrong, [], `${folder} imports ${allowed.join(', ') || 'nothing of the project'}`);
  }
  t.end();
});

t.test('sigv4-core is pure: node:crypto and nothing else', (t) => {
  const foreign = importsOf('packages/sigv4-core').filter(
    ({ from }) => !from.startsWith('.') && from !== 'node:crypto',
  );
  t.same(foreign, []);
  const clock = [...sourceFiles(join(root, 'packages/sigv4-core/src'))].filter((file) =>
    /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bsetTimeout\b|\bprocess\./.test(readFileSync(file, 'utf8')),
  );
  t.same(clock, [], 'no clock, randomness or process of its own');
  t.end();
});

t.test('what sends traces is loaded where a collector is configured, and nowhere else', (t) => {
  const SENDING = 'packages/service-skeleton/src/tracing/';
  const sending = folders
    .flatMap((folder) => importsOf(folder))
    .filter(({ from }) => from.startsWith('@opentelemetry/') && from !== '@opentelemetry/api')
    .map(({ file }) => relative(root, file));
  t.same([...new Set(sending)], [`${SENDING}exported-traces.ts`, `${SENDING}watched-exporter.ts`]);
  const loading = folders
    .flatMap((folder) => importsOf(folder))
    .filter(({ from }) => /\/(?:exported-traces|watched-exporter)\.js$/.test(from))
    .map(({ file }) => relative(root, file));
  t.same(loading, [`${SENDING}exported-traces.ts`, `${SENDING}open-traces.ts`]);
  const opening = readFileSync(join(root, SENDING, 'open-traces.ts'), 'utf8');
  t.match(opening, "await import('./exported-traces.js')", 'when it is needed');
  t.notMatch(opening, /^import (?!type ).*exported-traces/m, 'and not before');
  t.end();
});

t.test('kDate leaves its process where a deputy or a master behind a signer is given it, and nowhere else', (t) => {
  const exporting = folders
    .flatMap((folder) => [...sourceFiles(join(root, folder, 'src'))])
    .filter((file) => /\bexportKDate\b/.test(readFileSync(file, 'utf8')))
    .map((file) => relative(root, file))
    .filter((file) => !file.startsWith('packages/sigv4-core/'));
  t.same(exporting, [
    'packages/hop-protocol/src/hops.ts',
    'services/custody-signer/src/key-source.ts',
    'services/master-keyd/src/deputies/date-keys.ts',
  ]);
  const hop = [...sourceFiles(join(root, 'services'))]
    .filter((file) => file.includes('/src/') && !file.includes('/node_modules/'))
    .filter((file) => /\bDATE_KEYS\b/.test(readFileSync(file, 'utf8')))
    .map((file) => relative(root, file).split('/')[1] ?? '');
  t.same([...new Set(hop)].sort(), ['deputy-keyd', 'master-keyd'], 'no region or edge knows the hop that carries it');
  t.end();
});

t.test('manifests declare what the code imports, and no more of the project', (t) => {
  for (const folder of folders) {
    const manifest: unknown = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const declared = Object.keys((manifest as { dependencies?: object }).dependencies ?? {});
    const used = new Set(
      importsOf(folder)
        .map(({ from }) => from)
        .filter((from) => !from.startsWith('.') && !from.startsWith('node:'))
        .map((from) =>
          from
            .split('/')
            .slice(0, from.startsWith('@') ? 2 : 1)
            .join('/'),
        ),
    );
    const own = declared.filter((name) => name.startsWith('@sigv4-keyd/'));
    t.same(
      own.filter((name) => !used.has(name)),
      [],
      `${folder} declares no part of the project that it does not use`,
    );
    const { peerDependencies = {}, optionalDependencies = {} } = manifest as Record<string, object>;
    const known = [...declared, ...Object.keys(peerDependencies), ...Object.keys(optionalDependencies)];
    t.same(
      [...used].filter((name) => !known.includes(name)),
      [],
      `${folder} declares all that it uses`,
    );
  }
  t.end();
});
