/** Whole deployments with an operator in them, by the authority that certifies their pods: the overlays of each. */
export const DEPLOYMENTS = [
  ['cert-manager', ['overlays/two-regions', 'overlays/one-region/operator']],
  ['SPIRE', ['overlays/one-region-spire', 'overlays/one-region-spire/operator']],
] as const;
