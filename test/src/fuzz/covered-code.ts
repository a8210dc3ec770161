/** The compiled code that the fuzzer counts the coverage of: all that some target covers. */
export const COVERED_CODE: readonly string[] = [
  ...['certificate-identity', 'certificates-in-pem', 'spiffe-id', 'subject-alt-names'].map(
    (file) => `packages/fastify-mtls/dist/${file}`,
  ),
  ...['day-stream/', 'public-keys/', 'sealed-keys/', 'sessions/', 'hops', 'identity', 'key-answer', 'schemas'].map(
    (file) => `packages/hop-protocol/dist/${file}`,
  ),
  'packages/keydctl/dist/explain/',
  ...['checkpoint/', 'journal/', 'record/'].map((file) => `packages/ledger/dist/${file}`),
  ...['der', 'pem', 'read-request'].map((file) => `packages/pki/dist/${file}`),
  'packages/revocation/dist/',
  ...['configuration', 'key-cache/', 'settings'].map((file) => `packages/service-skeleton/dist/${file}`),
  'packages/sigv4-core/dist/',
  ...['forward-auth/original-request', 'proxy/post-form/'].map((file) => `services/edge-verifier/dist/${file}`),
  'services/master-keyd/dist/database/database-url',
];
