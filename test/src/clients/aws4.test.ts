import aws4 from 'aws4';
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { testClient, type Client, type Errand } from './client-test.js';
import type { Site } from './site.js';

function aws4Client({ ca }: Site): Client {
  const signed = (errand: Errand, path: string, options: Partial<aws4.Request> = {}): aws4.Request => {
    const { site, endpoint, secretAccessKey, region } = errand;
    const request = { host: new URL(endpoint).host, path: `/${site.bucket}${path}`, service: 's3', region, ...options };
    return aws4.sign(request, { accessKeyId: site.accessKeyId, secretAccessKey });
  };
  const send = (errand: Errand, { method, path, headers, body }: aws4.Request): Promise<string> =>
    new Promise((resolve, reject) => {
      const { protocol, hostname, port } = new URL(errand.endpoint);
      const start = protocol === 'https:' ? httpsRequest : httpRequest;
      const options = {
        hostname,
        port,
        method,
        path,
        ca: readFileSync(ca),
        headers: { ...headers } as Record<string, string>,
      };
      const outgoing = start(options, (incoming) => {
        let text = '';
        incoming.setEncoding('utf8').on('data', (part: string) => (text += part));
        incoming.on('end', () => {
          if ((incoming.statusCode ?? 500) < 400) resolve(text);
          else reject(new Error(text));
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  const call = (errand: Errand, path: string, options?: Partial<aws4.Request>): Promise<string> =>
    send(errand, signed(errand, path, options));
  const pathOf = (key: string): string => `/${key.split('/').map(encodeURIComponent).join('/')}`;
  const list = async (errand: Errand, prefix: string): Promise<readonly string[]> => {
    const text = await call(errand, `?list-type=2&prefix=${encodeURIComponent(prefix)}`);
    return [...text.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => key);
  };
  const presign = (errand: Errand, method: string, key: string): Promise<string> =>
    Promise.resolve(
      `${errand.endpoint}${signed(errand, `${pathOf(key)}?X-Amz-Expires=60`, { method, signQuery: true }).path ?? ''}`,
    );
  return {
    put: (errand, key, body) => call(errand, pathOf(key), { method: 'PUT', body }),
    putLarge: (errand, key, body) => call(errand, pathOf(key), { method: 'PUT', body }),
    get: (errand, key, range) => call(errand, pathOf(key), { ...(range !== undefined && { headers: { range } }) }),
    canRange: true,
    list,
    copy: (errand, from, to) =>
      call(errand, pathOf(to), { method: 'PUT', headers: { 'x-amz-copy-source': `/${errand.site.bucket}/${from}` } }),
    remove: (errand, key) => call(errand, pathOf(key), { method: 'DELETE' }),
    presignGet: (errand, key) => presign(errand, 'GET', key),
    presignPut: (errand, key) => presign(errand, 'PUT', key),
  };
}

testClient({ name: 'aws4', skip: false, client: aws4Client });
