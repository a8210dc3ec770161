import { fileWith, notInstalled, run, testClient, versionOf, type Client, type Errand } from './client-test.js';

function rclone(): Client {
  const call = (errand: Errand, ...args: readonly string[]): Promise<string> => {
    const { site, endpoint, secretAccessKey, region } = errand;
    const remote = {
      RCLONE_CONFIG: '/dev/null',
      RCLONE_CONFIG_KEYD_TYPE: 's3',
      RCLONE_CONFIG_KEYD_PROVIDER: 'Other',
      RCLONE_CONFIG_KEYD_ACCESS_KEY_ID: site.accessKeyId,
      RCLONE_CONFIG_KEYD_SECRET_ACCESS_KEY: secretAccessKey,
      RCLONE_CONFIG_KEYD_REGION: region,
      RCLONE_CONFIG_KEYD_ENDPOINT: endpoint,
      RCLONE_CONFIG_KEYD_FORCE_PATH_STYLE: 'true',
      RCLONE_S3_NO_CHECK_BUCKET: 'true',
      RCLONE_CA_CERT: site.ca,
      // It takes the file above, and stumbles over this one.
      AWS_CA_BUNDLE: '',
      RCLONE_RETRIES: '1',
      RCLONE_LOW_LEVEL_RETRIES: '1',
    };
    return run('rclone', args, errand, remote);
  };
  const at = ({ site }: Errand, key: string): string => `keyd:${site.bucket}/${key}`;
  return {
    put: (errand, key, body) => call(errand, 'copyto', fileWith(errand, body), at(errand, key)),
    putLarge: (errand, key, body) =>
      call(
        errand,
        'copyto',
        '--s3-upload-cutoff',
        '6M',
        '--s3-chunk-size',
        '6M',
        fileWith(errand, body),
        at(errand, key),
      ),
    get: (errand, key, range) => {
      const [from = '0', to = '0'] = range?.slice('bytes='.length).split('-') ?? [];
      const part = range === undefined ? [] : ['--offset', from, '--count', String(Number(to) - Number(from) + 1)];
      return call(errand, 'cat', ...part, at(errand, key));
    },
    canRange: true,
    list: async (errand, prefix, size) => {
      const pages = size === undefined ? [] : ['--s3-list-chunk', String(size)];
      const names = (await call(errand, 'lsf', ...pages, at(errand, prefix))).trim().split('\n');
      return names.map((name) => `${prefix}${name}`);
    },
    canPage: true,
    copy: (errand, from, to) => call(errand, 'copyto', at(errand, from), at(errand, to)),
    remove: (errand, key) => call(errand, 'deletefile', at(errand, key)),
    presignGet: async (errand, key) => (await call(errand, 'link', '--expire', '1m', at(errand, key))).trim(),
  };
}

const skip = versionOf('rclone', 'version') === undefined && notInstalled('rclone');
testClient({ name: 'rclone', skip, client: rclone });
