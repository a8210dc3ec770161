import { isTrustDomain, parseSpiffeId } from '@sigv4-keyd/fastify-mtls';
import { identityOf, spiffeIdOf } from '@sigv4-keyd/hop-protocol';
import { hold, type Target } from '../engine/target.js';

const spiffeId: Target = {
  name: 'spiffe-id',
  covers: ['packages/fastify-mtls/dist/spiffe-id', 'packages/hop-protocol/dist/identity'],
  seeds: [
    ...['spiffe://keyd.example/master/m1', 'spiffe://keyd.example/region/eu-west-1/r1', 'spiffe://a/operator/ann'],
    ...['spiffe://keyd.example/edge/eu-west-1/s3/e1', 'spiffe://keyd.example/', 'spiffe:///a', 'SPIFFE://a/b'],
    ...[
      'spiffe://a/edge/eu-west-1/s3/../e1',
      'spiffe://a/b%2fc',
      'spiffe://a:1/b',
      'spiffe://u@a/b',
      'spiffe://a/b?c#d',
    ],
  ],
  words: [
    'spiffe://',
    '/master/',
    '/region/',
    '/edge/',
    '/operator/',
    'eu-west-1',
    '/s3/',
    '..',
    '%2e',
    '//',
    '?',
    '@',
  ],
  mostBytes: 2200,
  run(input) {
    const text = input.toString('latin1');
    const id = parseSpiffeId(text);
    if (id === undefined) return false;
    const { uri, trustDomain, segments } = id;
    hold(uri === text && `spiffe://${trustDomain}/${segments.join('/')}` === text, 'one spelling');
    hold(isTrustDomain(trustDomain), 'a trust domain');
    const url = new URL(text);
    hold(
      url.host === trustDomain && url.pathname === `/${segments.join('/')}` && url.href === text,
      'as a URL is read',
    );
    const identity = identityOf(id);
    if (identity === undefined) return true;
    hold(spiffeIdOf(identity) === text, 'an identity has one SPIFFE id');
    return true;
  },
};

export const IDENTITIES: readonly Target[] = [spiffeId];
