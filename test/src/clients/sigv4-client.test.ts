import { createSigner } from '@sigv4-keyd/sigv4-client';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import { testClient, type Client, type Errand } from './client-test.js';
import type { Site } from './site.js';

/** Our own: undici with the signing interceptor. */
function ourOwn({ ca }: Site): Client {
  const call = async (
    errand: Errand,
    path: string,
    init: { method?: 'PUT' | 'DELETE'; body?: string; headers?: Record<string, string> } = {},
  ): Promise<string> => {
    const { site, endpoint, secretAccessKey, region } = errand;
    const credentials = { accessKeyId: site.accessKeyId, secretAccessKey };
    const signer = createSigner({ credentials, region, service: 's3' });
    const agent = new Agent({ connect: { ca: readFileSync(ca, 'utf8') } });
    const dispatcher = agent.compose(signer.interceptor([endpoint]));
    try {
      const { statusCode, body } = await request(`${endpoint}/${site.bucket}${path}`, { ...init, dispatcher });
      const text = await body.text();
      if (statusCode >= 400) throw new Error(text);
      return text;
    } finally {
      await agent.close();
    }
  };
  const pathOf = (key: string): string => `/${key.split('/').map(encodeURIComponent).join('/')}`;
  const presign = (errand: Errand, method: string, key: string): Promise<string> => {
    const { site, endpoint, secretAccessKey, region } = errand;
    const signer = createSigner({
      credentials: { accessKeyId: site.accessKeyId, secretAccessKey },
      region,
      service: 's3',
    });
    return signer.presign(`${endpoint}/${site.bucket}${pathOf(key)}`, { expires: 60, method });
  };
  return {
    put: (errand, key, body) => call(errand, pathOf(key), { method: 'PUT', body }),
    putLarge: (errand, key, body) => call(errand, pathOf(key), { method: 'PUT', body }),
    get: (errand, key, range) => call(errand, pathOf(key), range === undefined ? {} : { headers: { range } }),
    canRange: true,
    async list(errand, prefix) {
      const text = await call(errand, `?list-type=2&prefix=${encodeURIComponent(prefix)}`);
      return [...text.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => key);
    },
    copy: (errand, from, to) =>
      call(errand, pathOf(to), { method: 'PUT', headers: { 'x-amz-copy-source': `/${errand.site.bucket}/${from}` } }),
    remove: (errand, key) => call(errand, pathOf(key), { method: 'DELETE' }),
    presignGet: (errand, key) => presign(errand, 'GET', key),
    presignPut: (errand, key) => presign(errand, 'PUT', key),
    // undici takes dot segments out of a URL before anything can sign it.
    cannotName: ['a/./b', 'a/../b'],
  };
}

testClient({ name: 'sigv4-client (undici)', skip: false, client: ourOwn });
