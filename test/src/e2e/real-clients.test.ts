import { ApiGatewayManagementApiClient, PostToConnectionCommand } from '@aws-sdk/client-apigatewaymanagementapi';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { RunningStack } from '@sigv4-keyd/local-stack';
import t from 'tap';

/**
 * Clients as they come, against the stack of `npm start`: processes of their own, real PostgreSQL, real mTLS. What is
 * not installed is skipped, and says so.
 */
const run = promisify(execFile);
const BODY = 'what was signed is what is served\n';
const SHA256 = createHash('sha256').update(BODY).digest('hex');
const REGION = 'us-east-1';

t.setTimeout(300_000);
const stack = await RunningStack.start(21_400);
t.teardown(() => stack.stop());
const { accessKeyId, secretAccessKey } = stack.facts;
const s3 = stack.edge(REGION, 's3');
const api = stack.edge(REGION, 'execute-api');
const bodyFile = join(t.testdir(), 'body.txt');
writeFileSync(bodyFile, BODY);

function missing(program: string): string | false {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return false;
  } catch {
    return `${program} is not installed on this machine`;
  }
}

interface Outcome {
  readonly code: number;
  readonly output: string;
}

/** Runs a client with the given access key; resolves for failures too, with all that it printed. */
async function client(program: string, args: readonly string[], secret = secretAccessKey): Promise<Outcome> {
  const env = {
    PATH: process.env['PATH'],
    HOME: t.testdirName,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secret,
    AWS_DEFAULT_REGION: REGION,
    AWS_MAX_ATTEMPTS: '1',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  try {
    const { stdout, stderr } = await run(program, [...args], { env });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

t.test('curl --aws-sigv4', { skip: missing('curl') }, async (t) => {
  const curl = (scope: string, args: readonly string[], secret?: string): Promise<Outcome> =>
    client(
      'curl',
      ['-sS', '--aws-sigv4', `aws:amz:${scope}`, '--user', `${accessKeyId}:${secret ?? secretAccessKey}`, ...args],
      secret,
    );
  t.match(
    await curl(`${REGION}:s3`, [`${s3}/bucket/hello.txt`]),
    { code: 0, output: `"${accessKeyId}"` },
    'GET from s3',
  );
  const json = ['-d', '{"order":7}', '-H', 'content-type: application/json', `${api}/orders?a=1&b=2`];
  t.match(await curl(`${REGION}:execute-api`, json), { output: '"x-keyd-service": "execute-api"' }, 'POST of JSON');
  t.match(await curl(`${REGION}:s3`, [`${s3}/k`], 'wrong'), { output: 'SignatureDoesNotMatch' }, 'a wrong secret');
  t.match(await curl('eu-west-1:s3', [`${s3}/k`]), { output: '<Region>us-east-1</Region>' }, 'a wrong region is told');
  t.match(await curl(`${REGION}:execute-api`, [`${s3}/k`]), { output: /<Code>\w+<\/Code>/ }, 'a wrong service');
  t.match(await client('curl', ['-sS', `${s3}/k`]), { output: 'AccessDenied' }, 'no signature');
});

t.test('the AWS CLI: s3api and a JSON service', { skip: missing('aws'), timeout: 180_000 }, async (t) => {
  const aws = (endpoint: string, args: readonly string[], secret?: string): Promise<Outcome> =>
    client('aws', ['--endpoint-url', endpoint, '--output', 'json', ...args], secret);
  for (const key of ['hello.txt', 'a b+c%20d/ü/é.txt', 'x//y', 'x/../y', "it's (1)!*~&=$@,:;?#"]) {
    const put = await aws(s3, ['s3api', 'put-object', '--bucket', 'bucket', '--key', key, '--body', bodyFile]);
    t.match(put, { code: 0, output: SHA256.slice(0, 32) }, `put-object ${key}`);
  }
  const fetched = join(t.testdir(), 'fetched');
  const get = await aws(s3, ['s3api', 'get-object', '--bucket', 'bucket', '--key', 'hello.txt', fetched]);
  t.match(get, { code: 0, output: accessKeyId }, 'get-object');
  t.match(
    await aws(s3, ['s3api', 'head-object', '--bucket', 'bucket', '--key', 'hello.txt']),
    { code: 0 },
    'head-object',
  );
  const post = ['apigatewaymanagementapi', 'post-to-connection', '--connection-id', 'a/b=', '--data', BODY];
  t.match(await aws(api, post), { code: 0 }, 'a JSON service');
  const wrong = await aws(s3, ['s3api', 'get-object', '--bucket', 'b', '--key', 'k', fetched], 'wrong');
  t.match(wrong, { output: '(SignatureDoesNotMatch)' }, 'it prints the right message for a wrong secret');
  t.match(await aws(api, post, 'wrong'), { output: '(InvalidSignatureException)' }, 'and of the JSON service');
  const elsewhere = await aws(stack.edge('eu-west-1', 'execute-api'), post);
  t.match(elsewhere, { output: /Exception.*region/ }, 'a request for us-east-1 is refused in eu-west-1');
});

t.test('the JavaScript SDK', async (t) => {
  const credentials = { accessKeyId, secretAccessKey };
  const options = { endpoint: s3, region: REGION, credentials, forcePathStyle: true, maxAttempts: 1 };
  const object = { Bucket: 'bucket', Key: 'sdk/a b+ü.txt' };
  const client = new S3Client(options);
  t.match(await client.send(new PutObjectCommand({ ...object, Body: BODY })), { ETag: `"${SHA256.slice(0, 32)}"` });
  const got = await client.send(new GetObjectCommand(object));
  t.match(await got.Body?.transformToString(), accessKeyId, 'a GET');
  await client.send(new HeadObjectCommand(object));

  const url = await getSignedUrl(client, new GetObjectCommand(object), { expiresIn: 60 });
  t.equal((await fetch(url)).status, 200, 'a presigned GET');
  t.equal((await fetch(url.replace('sdk', 'sdl'))).status, 403, 'not for another key');
  t.equal((await fetch(url, { method: 'DELETE' })).status, 403, 'nor another method');
  const upload = await getSignedUrl(client, new PutObjectCommand(object), { expiresIn: 60 });
  const put = await fetch(upload, { method: 'PUT', body: BODY });
  t.equal(put.status, 200, 'a presigned PUT');
  t.equal(put.headers.get('etag'), `"${SHA256.slice(0, 32)}"`);

  const gateway = new ApiGatewayManagementApiClient({ ...options, endpoint: api });
  t.match(await gateway.send(new PostToConnectionCommand({ ConnectionId: 'a/b=', Data: BODY })), {
    $metadata: { httpStatusCode: 200 },
  });

  const wrong = new S3Client({ ...options, credentials: { accessKeyId, secretAccessKey: 'wrong' } });
  await t.rejects(wrong.send(new GetObjectCommand(object)), { name: 'SignatureDoesNotMatch' });
  const unknown = new S3Client({ ...options, credentials: { accessKeyId: 'AKIANOBODYKNOWSTHIS', secretAccessKey } });
  await t.rejects(unknown.send(new GetObjectCommand(object)), { name: 'InvalidAccessKeyId' });
  const late = new S3Client({ ...options, systemClockOffset: -16 * 60_000 });
  await t.rejects(late.send(new GetObjectCommand(object)), { name: 'RequestTimeTooSkewed' });
  const elsewhere = new S3Client({ ...options, endpoint: stack.edge('eu-west-1', 's3') });
  await t.rejects(elsewhere.send(new GetObjectCommand(object)), { name: 'AuthorizationHeaderMalformed' });
});

const boto = missing('/usr/bin/python3') || (await client('/usr/bin/python3', ['-c', 'import boto3'])).code !== 0;
t.test('boto3', { skip: boto ? 'boto3 is not installed on this machine' : false }, async (t) => {
  const program = `
import boto3, sys
s3 = boto3.client('s3', endpoint_url=sys.argv[1])
print(s3.put_object(Bucket='bucket', Key='boto/a b+ü', Body=b'x')['ETag'])
print(s3.get_object(Bucket='bucket', Key='boto/a b+ü')['Body'].read().decode())
print(s3.generate_presigned_url('get_object', Params=dict(Bucket='bucket', Key='boto/ü'), ExpiresIn=60))
`;
  const { code, output } = await client('/usr/bin/python3', ['-c', program, s3]);
  t.equal(code, 0, output);
  t.match(output, accessKeyId);
  const url = output.trim().split('\n').at(-1) ?? '';
  // Debian's boto3 presigns with version 2 of the protocol unless told otherwise: that is refused, not misread.
  t.equal((await fetch(url)).status, url.includes('X-Amz-Signature') ? 200 : 403);
});
