import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { testClient, type Client, type Errand } from './client-test.js';
import type { Site } from './site.js';

function sdk({ ca }: Site): Client {
  const httpsAgent = new Agent({ ca: readFileSync(ca) });
  const using = async <Result>(errand: Errand, task: (client: S3Client) => Promise<Result>): Promise<Result> => {
    const { endpoint, region, secretAccessKey, site } = errand;
    const client = new S3Client({
      endpoint,
      region,
      credentials: { accessKeyId: site.accessKeyId, secretAccessKey },
      forcePathStyle: true,
      requestHandler: { httpsAgent },
    });
    return task(client);
  };
  const object = ({ site }: Errand, key: string): { readonly Bucket: string; readonly Key: string } => ({
    Bucket: site.bucket,
    Key: key,
  });
  return {
    put: (errand, key, body) =>
      using(errand, (client) => client.send(new PutObjectCommand({ ...object(errand, key), Body: body }))),
    putLarge: (errand, key, body) =>
      using(errand, (client) => new Upload({ client, params: { ...object(errand, key), Body: body } }).done()),
    get: (errand, key, range) =>
      using(errand, async (client) => {
        const command = new GetObjectCommand({ ...object(errand, key), ...(range !== undefined && { Range: range }) });
        return (await (await client.send(command)).Body?.transformToString()) ?? '';
      }),
    canRange: true,
    list: (errand, prefix, pageSize) =>
      using(errand, async (client) => {
        const input = { Bucket: errand.site.bucket, Prefix: prefix };
        if (pageSize === undefined) return keysOf(await client.send(new ListObjectsV2Command(input)));
        const keys: string[] = [];
        for await (const page of paginateListObjectsV2({ client, pageSize }, input)) keys.push(...keysOf(page));
        return keys;
      }),
    canPage: true,
    copy: (errand, from, to) =>
      using(errand, (client) =>
        client.send(new CopyObjectCommand({ ...object(errand, to), CopySource: `${errand.site.bucket}/${from}` })),
      ),
    remove: (errand, key) => using(errand, (client) => client.send(new DeleteObjectCommand(object(errand, key)))),
    presignGet: (errand, key) =>
      using(errand, (client) => getSignedUrl(client, new GetObjectCommand(object(errand, key)))),
    presignPut: (errand, key) =>
      using(errand, (client) => getSignedUrl(client, new PutObjectCommand(object(errand, key)))),
  };
}

function keysOf(page: { readonly Contents?: { readonly Key?: string | undefined }[] | undefined }): readonly string[] {
  return (page.Contents ?? []).map(({ Key }) => Key ?? '');
}

testClient({ name: 'JavaScript SDK v3', skip: false, client: sdk });
