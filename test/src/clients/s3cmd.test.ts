import { readFileSync } from 'node:fs';
import {
  fileWith,
  newFile,
  notInstalled,
  run,
  testClient,
  versionOf,
  type Client,
  type Errand,
} from './client-test.js';

function s3cmd(): Client {
  const call = (errand: Errand, ...args: readonly string[]): Promise<string> => {
    const { site, endpoint, secretAccessKey, region } = errand;
    const { host, protocol } = new URL(endpoint);
    const settings = [
      '--no-progress',
      '--config=/dev/null',
      `--host=${host}`,
      `--host-bucket=${host}`,
      `--access_key=${site.accessKeyId}`,
      `--secret_key=${secretAccessKey}`,
      `--region=${region}`,
      ...(protocol === 'https:' ? ['--ssl', `--ca-certs=${site.ca}`] : ['--no-ssl']),
    ];
    return run('s3cmd', [...settings, ...args], errand);
  };
  const uri = ({ site }: Errand, key: string): string => `s3://${site.bucket}/${key}`;
  return {
    put: (errand, key, body) => call(errand, 'put', fileWith(errand, body), uri(errand, key)),
    putLarge: (errand, key, body) =>
      call(errand, 'put', '--multipart-chunk-size-mb=6', fileWith(errand, body), uri(errand, key)),
    async get(errand, key) {
      const file = newFile(errand);
      await call(errand, 'get', uri(errand, key), file);
      return readFileSync(file, 'utf8');
    },
    list: async (errand, prefix) =>
      (await call(errand, 'ls', uri(errand, prefix)))
        .trim()
        .split('\n')
        .map((line) => line.slice(line.indexOf('s3://') + `s3://${errand.site.bucket}/`.length)),
    copy: (errand, from, to) => call(errand, 'cp', uri(errand, from), uri(errand, to)),
    remove: (errand, key) => call(errand, 'del', uri(errand, key)),
  };
}

const skip = versionOf('s3cmd', '--version') === undefined && notInstalled('s3cmd');
testClient({ name: 's3cmd', skip, client: s3cmd });
