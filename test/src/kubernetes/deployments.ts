/** Whole deployments with an operator in them, by what is theirs alone: the overlays of each. */
export const DEPLOYMENTS = [
  ['cert-manager', ['overlays/two-regions', 'overlays/one-region/operator']],
  ['SPIRE', ['overlays/one-region-spire', 'overlays/one-region-spire/operator']],
  ['a deputy', ['overlays/one-region-deputy', 'overlays/one-region/operator']],
  ['signers', ['overlays/one-region-signer', 'overlays/one-region-signer/operator']],
  ['an HSM', ['overlays/one-region-hsm', 'overlays/one-region/operator']],
] as const;
