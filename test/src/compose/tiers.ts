/** They make files, once, and end. They have no network, so that a certificate authority's key meets nobody. */
export const ONE_SHOTS = ['make-credentials', 'make-signer-credentials', 'make-token'];

/** What a service of the stack is there for. */
export type Tier =
  'database' | 'master' | 'signer' | 'deputy' | 'region' | 'edge' | 'upstream' | 'operator' | 'watching' | 'none';

export function tierOf(service: string): Tier {
  if (ONE_SHOTS.includes(service)) return 'none';
  if (service === 'postgres') return 'database';
  if (service === 'keydctl') return 'operator';
  if (service === 'prometheus' || service === 'grafana') return 'watching';
  if (service === 'custody-signer') return 'signer';
  for (const tier of ['master', 'deputy', 'region', 'edge', 'upstream'] as const) {
    if (service.startsWith(tier)) return tier;
  }
  throw new Error(`${service} belongs to no tier: say here to which, and on which networks it may be`);
}

export function regionOf(service: string): string {
  return /[a-z]+-[a-z]+-\d/.exec(service.replace(/^\w+-(?:keyd-)?/, ''))?.[0] ?? '';
}

/** Who may be on which network: each carries one boundary. */
export const BOUNDARIES: Readonly<Record<string, readonly Tier[]>> = {
  database: ['database', 'master'],
  masters: ['master', 'deputy', 'region', 'operator', 'watching'],
  signers: ['signer', 'master', 'operator'],
  'us-east-1': ['region', 'edge', 'watching'],
  'eu-west-1': ['region', 'edge', 'watching'],
  public: ['edge', 'upstream'],
  watching: ['watching'],
  dashboards: ['watching'],
};
/** Those that publish ports, or lead to a service of the deployment's own. */
export const OPEN_NETWORKS = ['public', 'dashboards'];
