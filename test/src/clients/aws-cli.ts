import { readFileSync } from 'node:fs';
import { fileWith, newFile, run, versionOf, type Client, type Errand } from './client-test.js';

/** The AWS CLI of a major version among the programs of this machine. */
export function findAwsCli(major: 1 | 2): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/bin', '/usr/local/bin'];
  return [...new Set(folders)]
    .map((folder) => `${folder}/aws`)
    .find((program) => versionOf(program, '--version')?.startsWith(`aws-cli/${major}.`));
}

export function awsCli(program: string): Client {
  const aws = (errand: Errand, ...args: readonly string[]): Promise<string> =>
    run(program, ['--endpoint-url', errand.endpoint, '--output', 'json', ...args], errand);
  const bucket = ({ site }: Errand): readonly [string, string] => ['--bucket', site.bucket];
  return {
    put: (errand, key, body) =>
      aws(errand, 's3api', 'put-object', ...bucket(errand), '--key', key, '--body', fileWith(errand, body)),
    putLarge: (errand, key, body) =>
      aws(errand, 's3', 'cp', '--no-progress', fileWith(errand, body), `s3://${errand.site.bucket}/${key}`),
    async get(errand, key, range) {
      const file = newFile(errand);
      const ranged = range === undefined ? [] : ['--range', range];
      await aws(errand, 's3api', 'get-object', ...bucket(errand), '--key', key, ...ranged, file);
      return readFileSync(file, 'utf8');
    },
    canRange: true,
    async list(errand, prefix, pageSize) {
      const pages = pageSize === undefined ? [] : ['--page-size', String(pageSize)];
      const text = await aws(errand, 's3api', 'list-objects-v2', ...bucket(errand), '--prefix', prefix, ...pages);
      return (JSON.parse(text) as { readonly Contents: readonly { readonly Key: string }[] }).Contents.map(
        ({ Key }) => Key,
      );
    },
    canPage: true,
    copy: (errand, from, to) =>
      aws(
        errand,
        's3api',
        'copy-object',
        ...bucket(errand),
        '--copy-source',
        `${errand.site.bucket}/${from}`,
        '--key',
        to,
      ),
    remove: (errand, key) => aws(errand, 's3api', 'delete-object', ...bucket(errand), '--key', key),
    presignGet: async (errand, key) => (await aws(errand, 's3', 'presign', `s3://${errand.site.bucket}/${key}`)).trim(),
  };
}
