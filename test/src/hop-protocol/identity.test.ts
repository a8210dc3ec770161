import { parseSpiffeId } from '@sigv4-keyd/fastify-mtls';
import { identityOf, spiffeIdOf, type Identity } from '@sigv4-keyd/hop-protocol';
import t from 'tap';

const read = (uri: string): Identity | undefined => {
  const id = parseSpiffeId(uri);
  return id && identityOf(id);
};

t.test('each role has one form, and it reads back as it was written', (t) => {
  const trustDomain = 'keyd.example';
  const identities: readonly Identity[] = [
    { role: 'master', trustDomain, name: 'm1' },
    { role: 'deputy', trustDomain, name: 'd1' },
    { role: 'operator', trustDomain, name: 'alice' },
    { role: 'region', trustDomain, region: 'us-east-1', name: 'r1' },
    { role: 'edge', trustDomain, region: 'us-east-1', service: 's3', name: 'e1' },
  ];
  for (const identity of identities) t.same(read(spiffeIdOf(identity)), identity);
  t.end();
});

t.test('whatever is not exactly one of them is nobody', (t) => {
  const base = 'spiffe://keyd.example';
  for (const uri of [
    `${base}/master`,
    `${base}/master/m1/more`,
    `${base}/Master/m1`,
    `${base}/deputy`,
    `${base}/deputy/us-east-1/d1`,
    `${base}/viceroy/d1`,
    `${base}/region/us-east-1`,
    `${base}/region/us-east-1/r1/more`,
    `${base}/region/US_EAST/r1`,
    `${base}/edge/us-east-1/s3`,
    `${base}/edge/us-east-1/s3/e1/more`,
    `${base}/edge/us-east-1//e1`,
    `${base}/edge/us-east-1/s3/..`,
    `${base}/operator/-x`,
    `${base}/operator/${'x'.repeat(64)}`,
    `${base}/toString/x`,
    `${base}/constructor/x`,
  ]) {
    t.equal(read(uri), undefined, uri);
  }
  t.end();
});
