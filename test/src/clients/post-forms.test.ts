import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { S3Client } from '@aws-sdk/client-s3';
import { createSigner } from '@sigv4-keyd/sigv4-client';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { notInstalled, run, versionOf, type Errand } from './client-test.js';
import { startSite, type Site } from './site.js';

/** A form as a signer makes it: where to send it, and what to send before the file. */
interface SignedForm {
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
}

interface Signer {
  readonly name: string;
  readonly skip: string | false;
  /** Signs for a key, texts only, of 5 to 20 bytes. */
  readonly sign: (site: Site, key: string) => Promise<SignedForm>;
}

interface Sender {
  readonly name: string;
  readonly skip: string | false;
  /** Sends a form with a file; gives the status and the body of the answer. */
  readonly send: (site: Site, form: SignedForm, file: string, filename: string) => Promise<Answer>;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

const LEAST = 5;
const MOST = 20;

const SIGN_WITH_BOTO3 = `
import boto3, botocore.config, json, sys
endpoint, bucket, key = sys.argv[1:]
config = botocore.config.Config(signature_version='s3v4', s3={'addressing_style': 'path'})
s3 = boto3.client('s3', endpoint_url=endpoint, config=config)
post = s3.generate_presigned_post(bucket, key, ExpiresIn=60, Fields={'Content-Type': 'text/plain', 'success_action_status': '201'},
  Conditions=[['starts-with', '$Content-Type', 'text/'], {'success_action_status': '201'}, ['content-length-range', ${LEAST}, ${MOST}]])
print(json.dumps(post))
`;

const SEND_WITH_REQUESTS = `
import json, requests, sys
url, fields, file, filename = sys.argv[1:]
answer = requests.post(url, data=json.loads(fields), files={'file': (filename, file.encode())})
print(json.dumps({'status': answer.status_code, 'body': answer.text}))
`;

const python = ['/usr/bin/python3', 'python3'].find(
  (program) => versionOf(program, '-c', 'import boto3, requests') !== undefined,
);
const withoutPython = python === undefined && notInstalled('boto3, with requests');

function errandAt(site: Site): Errand {
  return { site, endpoint: site.http, secretAccessKey: site.secretAccessKey, region: site.region };
}

const SIGNERS: readonly Signer[] = [
  {
    name: '@aws-sdk/s3-presigned-post',
    skip: false,
    async sign({ http, region, bucket, accessKeyId, secretAccessKey }, Key) {
      const credentials = { accessKeyId, secretAccessKey };
      const client = new S3Client({ endpoint: http, region, credentials, forcePathStyle: true });
      return createPresignedPost(client, {
        Bucket: bucket,
        Key,
        Expires: 60,
        Fields: { 'Content-Type': 'text/plain', success_action_status: '201' },
        Conditions: [
          ['starts-with', '$Content-Type', 'text/'],
          ['content-length-range', LEAST, MOST],
        ],
      });
    },
  },
  {
    name: 'boto3',
    skip: withoutPython,
    async sign(site, key) {
      const args = ['-c', SIGN_WITH_BOTO3, site.http, site.bucket, key];
      return JSON.parse(await run(python ?? '', args, errandAt(site))) as SignedForm;
    },
  },
  {
    name: '@sigv4-keyd/sigv4-client',
    skip: false,
    async sign({ http, region, bucket, accessKeyId, secretAccessKey }, key) {
      const signer = createSigner({ credentials: { accessKeyId, secretAccessKey }, region, service: 's3' });
      const fields = await signer.presignPost({
        bucket,
        fields: { key, 'Content-Type': 'text/plain', success_action_status: '201' },
        conditions: [
          { kind: 'starts-with', field: 'content-type', value: 'text/' },
          { kind: 'content-length-range', least: LEAST, most: MOST },
        ],
        expires: 60,
      });
      return { url: `${http}/${bucket}`, fields };
    },
  },
];

const SENDERS: readonly Sender[] = [
  {
    name: 'fetch',
    skip: false,
    async send(_site, { url, fields }, file, filename) {
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) form.append(name, value);
      form.append('file', new Blob([file]), filename);
      const answer = await fetch(url, { method: 'POST', body: form });
      return { status: answer.status, body: await answer.text() };
    },
  },
  {
    name: 'curl',
    skip: versionOf('curl', '--version') === undefined && notInstalled('curl'),
    async send({ folder }, { url, fields }, file, filename) {
      const path = join(folder, 'to-be-sent');
      writeFileSync(path, file);
      const texts = Object.entries(fields).flatMap(([name, value]) => ['--form-string', `${name}=${value}`]);
      const args = ['-sS', ...texts, '-F', `file=@${path};filename=${filename}`, '-w', '\n%{http_code}', url];
      const { stdout } = await promisify(execFile)('curl', args);
      const end = stdout.lastIndexOf('\n');
      return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) };
    },
  },
  {
    name: 'requests (Python)',
    skip: withoutPython,
    async send(site, { url, fields }, file, filename) {
      const args = ['-c', SEND_WITH_REQUESTS, url, JSON.stringify(fields), file, filename];
      return JSON.parse(await run(python ?? '', args, errandAt(site))) as Answer;
    },
  },
];

t.setTimeout(120_000);
t.test('forms of every signer, sent by every sender, before an S3-like store', async (t) => {
  const site = await startSite(t);
  const stored = async (key: string): Promise<string> => (await fetch(`${site.store}/${site.bucket}/${key}`)).text();
  let sent = 0;
  for (const signer of SIGNERS) {
    await t.test(signer.name, { skip: signer.skip }, async (t) => {
      const plain = await signer.sign(site, 'user/plain.txt');
      const named = await signer.sign(site, 'user/${filename}');
      for (const { name, skip, send } of SENDERS) {
        await t.test(name, { skip }, async (t) => {
          sent += 1;
          const content = `content ${sent}`;
          t.match(await send(site, plain, content, 'x.txt'), { status: 201 }, 'the key as it was signed');
          t.equal(await stored('user/plain.txt'), content);
          t.equal((await send(site, named, content, 'file.txt')).status, 201, 'the key with the name of the file');
          t.equal(await stored('user/$%7Bfilename%7D'), content, 'which this store does not put in');
          t.strictSame(site.refusals(), []);

          const changed = (fields: object): SignedForm => ({ ...plain, fields: { ...plain.fields, ...fields } });
          const refusals: readonly (readonly [string, RegExp, SignedForm, string])[] = [
            [
              'post-policy-condition-failed',
              /AccessDenied.*Invalid according to Policy/,
              changed({ key: 'user/other' }),
              content,
            ],
            ['post-policy-condition-failed', /AccessDenied/, changed({ 'Content-Type': 'image/png' }), content],
            ['form-field-not-in-policy', /AccessDenied.*Extra input fields/, changed({ acl: 'public-read' }), content],
            ['file-too-small', /EntityTooSmall/, plain, '1234'],
            ['file-too-large', /EntityTooLarge/, plain, '1'.repeat(MOST + 1)],
          ];
          for (const [reason, body, form, file] of refusals) {
            const answer = await send(site, form, file, 'x.txt');
            t.ok(answer.status >= 400, reason);
            t.match(answer.body, body);
            t.strictSame(site.refusals(), [reason]);
          }
          t.equal(await stored('user/plain.txt'), content, 'nothing of it was stored');
        });
      }
    });
  }
});
