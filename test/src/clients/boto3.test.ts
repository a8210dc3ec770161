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

/** One call of boto3 a process: the arguments are the call, its result is printed as JSON. */
const PROGRAM = `
import boto3, botocore.config, json, sys
from boto3.s3.transfer import TransferConfig
endpoint, bucket, call, *rest = sys.argv[1:]
config = botocore.config.Config(signature_version='s3v4', s3={'addressing_style': 'path'})
s3 = boto3.client('s3', endpoint_url=endpoint, config=config)
def put(key, path): s3.put_object(Bucket=bucket, Key=key, Body=open(path, 'rb'))
def large(key, path): s3.upload_file(path, bucket, key, Config=TransferConfig(multipart_threshold=8 << 20))
def get(key, path, *range):
    extra = {'Range': range[0]} if range else {}
    open(path, 'wb').write(s3.get_object(Bucket=bucket, Key=key, **extra)['Body'].read())
def list(prefix, *size):
    pages = s3.get_paginator('list_objects_v2').paginate(Bucket=bucket, Prefix=prefix, PaginationConfig={'PageSize': int(size[0]) if size else 1000})
    return [entry['Key'] for page in pages for entry in page.get('Contents', [])]
def copy(source, to): s3.copy_object(Bucket=bucket, CopySource={'Bucket': bucket, 'Key': source}, Key=to)
def remove(key): s3.delete_object(Bucket=bucket, Key=key)
def presign(method, key): return s3.generate_presigned_url(method, Params={'Bucket': bucket, 'Key': key}, ExpiresIn=60)
print(json.dumps(globals()[call](*rest)))
`;

function boto3(python: string): Client {
  const call = async (errand: Errand, ...args: readonly string[]): Promise<unknown> =>
    JSON.parse(await run(python, ['-c', PROGRAM, errand.endpoint, errand.site.bucket, ...args], errand));
  return {
    put: (errand, key, body) => call(errand, 'put', key, fileWith(errand, body)),
    putLarge: (errand, key, body) => call(errand, 'large', key, fileWith(errand, body)),
    async get(errand, key, range) {
      const file = newFile(errand);
      await call(errand, 'get', key, file, ...(range === undefined ? [] : [range]));
      return readFileSync(file, 'utf8');
    },
    canRange: true,
    list: async (errand, prefix, size) =>
      (await call(errand, 'list', prefix, ...(size === undefined ? [] : [String(size)]))) as readonly string[],
    canPage: true,
    copy: (errand, from, to) => call(errand, 'copy', from, to),
    remove: (errand, key) => call(errand, 'remove', key),
    presignGet: async (errand, key) => String(await call(errand, 'presign', 'get_object', key)),
    presignPut: async (errand, key) => String(await call(errand, 'presign', 'put_object', key)),
  };
}

const python = ['/usr/bin/python3', 'python3'].find(
  (program) => versionOf(program, '-c', 'import boto3') !== undefined,
);

testClient({ name: 'boto3', skip: python === undefined && notInstalled('boto3'), client: () => boto3(python ?? '') });
