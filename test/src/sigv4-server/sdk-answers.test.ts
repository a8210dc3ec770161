import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ApiGatewayManagementApiClient, PostToConnectionCommand } from '@aws-sdk/client-apigatewaymanagementapi';
import { GetObjectCommand, HeadBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { staticSecrets } from '@sigv4-keyd/sigv4-server';
import t, { type Test } from 'tap';
import { ACCESS_KEY_ID, CREDENTIALS, SECRET, VerifyingServer } from '../sigv4-client/verifying-server.js';

/** What SDKs make of our refusals: the right error, and the right thing done about it. */

const HOUR = 3_600_000;
const REGION = 'eu-west-1';
const WRONG = { ...CREDENTIALS, secretAccessKey: 'wrong' };
const UNKNOWN = { ...CREDENTIALS, accessKeyId: 'AKIANOBODYKNOWSTHIS' };

function serve(t: Test, service: string, skewMs = 0): Promise<VerifyingServer> {
  const keys = staticSecrets({ [ACCESS_KEY_ID]: SECRET }, { region: REGION, service });
  return VerifyingServer.start(t, { keys, now: () => Date.now() + skewMs });
}

interface Settings {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: typeof CREDENTIALS;
}

function settings({ origin }: VerifyingServer, credentials = CREDENTIALS, region = REGION): Settings {
  return { endpoint: origin, region, credentials };
}

t.test('S3', async (t) => {
  const here = await serve(t, 's3');
  const object = { Bucket: 'bucket', Key: 'key' };
  const client = (options: Settings, more = {}): S3Client =>
    new S3Client({ ...options, forcePathStyle: true, ...more });
  await t.rejects(client(settings(here, WRONG)).send(new GetObjectCommand(object)), { name: 'SignatureDoesNotMatch' });
  await t.rejects(client(settings(here, UNKNOWN)).send(new GetObjectCommand(object)), { name: 'InvalidAccessKeyId' });

  const ahead = await serve(t, 's3', 26 * HOUR);
  await client(settings(ahead)).send(new PutObjectCommand({ ...object, Body: 'x' }));
  t.equal(ahead.received.length, 1, 'it sets its clock by the answer and signs again');
  t.equal(ahead.arrived.length, 2);

  const elsewhere = settings(here, CREDENTIALS, 'us-east-1');
  await t.rejects(client(elsewhere).send(new GetObjectCommand(object)), {
    name: 'AuthorizationHeaderMalformed',
    Region: REGION,
  });
  const follows = client(elsewhere, { followRegionRedirects: true });
  await follows.send(new HeadBucketCommand({ Bucket: 'bucket' }));
  t.match(here.last, { method: 'HEAD', headers: { authorization: new RegExp(`/${REGION}/s3/`) } }, 'it signs for ours');
});

for (const [name, service, send] of [
  ['STS', 'sts', (options: Settings) => new STSClient(options).send(new GetCallerIdentityCommand({}))],
  [
    'SNS',
    'sns',
    (options: Settings) => new SNSClient(options).send(new PublishCommand({ Message: 'x', TopicArn: 'y' })),
  ],
] as const) {
  t.test(`${name}, a query service`, async (t) => {
    const here = await serve(t, service);
    await t.rejects(send(settings(here, WRONG)), {
      name: 'SignatureDoesNotMatch',
      message: /secret access key/,
      $fault: 'client',
      $metadata: { httpStatusCode: 403 },
    });
    await t.rejects(send(settings(here, UNKNOWN)), { name: 'InvalidClientTokenId' });
    await t.rejects(send(settings(here, CREDENTIALS, 'us-east-1')), {
      name: 'SignatureDoesNotMatch',
      message: /region/,
    });
    const ahead = await serve(t, service, 26 * HOUR);
    ahead.answer = (_request, response) =>
      response.writeHead(200, { 'content-type': 'text/xml' }).end('<R><Result/></R>');
    await send(settings(ahead));
    t.equal(ahead.received.length, 1, 'it sets its clock by the answer and signs again');
  });
}

t.test('API Gateway management, a JSON service', async (t) => {
  const send = (options: Settings): Promise<unknown> =>
    new ApiGatewayManagementApiClient(options).send(new PostToConnectionCommand({ ConnectionId: 'a', Data: 'x' }));
  const here = await serve(t, 'execute-api');
  await t.rejects(send(settings(here, WRONG)), { name: 'InvalidSignatureException', message: /secret access key/ });
  await t.rejects(send(settings(here, UNKNOWN)), { name: 'UnrecognizedClientException' });
  const ahead = await serve(t, 'execute-api', -26 * HOUR);
  await send(settings(ahead));
  t.equal(ahead.received.length, 1, 'it sets its clock by the answer and signs again');
});

const run = promisify(execFile);
const boto = await run('/usr/bin/python3', ['-c', 'import boto3']).catch(() => undefined);
t.test('boto3', { skip: boto ? false : 'boto3 is not installed on this machine' }, async (t) => {
  const here = await serve(t, 's3');
  const program = `
import boto3, sys
from botocore.exceptions import ClientError
s3 = boto3.client('s3', endpoint_url=sys.argv[1])
print(s3.get_object(Bucket='bucket', Key='key')['Body'].read().decode())
sts = boto3.client('sts', endpoint_url=sys.argv[2], region_name='${REGION}')
try: sts.get_caller_identity()
except ClientError as error: print(error.response['Error']['Code'], error.response['Error']['Type'])
`;
  const sts = await VerifyingServer.start(t, {
    keys: staticSecrets({ [ACCESS_KEY_ID]: 'another' }, { region: REGION, service: 'sts' }),
  });
  const env = {
    AWS_ACCESS_KEY_ID: ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY: SECRET,
    AWS_DEFAULT_REGION: 'us-east-1',
    HOME: t.testdir(),
  };
  const { stdout } = await run('/usr/bin/python3', ['-c', program, here.origin, sts.origin], { env });
  t.match(stdout, 'served', 'signed for another region, it signs again for ours');
  t.match(stdout, 'SignatureDoesNotMatch Sender');
});
