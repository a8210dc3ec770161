import { fileWith, notInstalled, run, testClient, versionOf, type Client, type Errand } from './client-test.js';

/** curl signs; paths and queries are written as its users have to write them. */
function curl(): Client {
  const call = (errand: Errand, path: string, ...args: readonly string[]): Promise<string> => {
    const { site, endpoint, secretAccessKey, region } = errand;
    const signing = ['--aws-sigv4', `aws:amz:${region}:s3`, '--user', `${site.accessKeyId}:${secretAccessKey}`];
    const url = `${endpoint}/${site.bucket}${path}`;
    return run('curl', ['-sS', '--fail', '--path-as-is', '--cacert', site.ca, ...signing, ...args, url], errand);
  };
  // It signs paths as they are written: every byte that is not unreserved has to be encoded.
  const encoded = (text: string): string =>
    encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
  const pathOf = (key: string): string => `/${key.split('/').map(encoded).join('/')}`;
  // It states the hash of no body for -T; this tells it not to state any.
  const unsigned = ['-H', 'x-amz-content-sha256: UNSIGNED-PAYLOAD'] as const;
  return {
    put: (errand, key, body) => call(errand, pathOf(key), '-X', 'PUT', '--data-binary', `@${fileWith(errand, body)}`),
    putLarge: (errand, key, body) => call(errand, pathOf(key), ...unsigned, '-T', fileWith(errand, body)),
    get: (errand, key, range) =>
      call(errand, pathOf(key), ...(range === undefined ? [] : ['-r', range.slice('bytes='.length)])),
    canRange: true,
    async list(errand, prefix) {
      const text = await call(errand, `?list-type=2&prefix=${encodeURIComponent(prefix)}`);
      return [...text.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => key);
    },
    copy: (errand, from, to) =>
      call(errand, pathOf(to), '-X', 'PUT', '-H', `x-amz-copy-source: /${errand.site.bucket}/${from}`),
    remove: (errand, key) => call(errand, pathOf(key), '-X', 'DELETE'),
  };
}

const skip =
  (versionOf('curl', '--help', 'all')?.includes('--aws-sigv4') ?? false)
    ? false
    : notInstalled('curl with --aws-sigv4');
testClient({ name: 'curl --aws-sigv4', skip, client: curl });
