import type { SignerPrivateKey } from '@sigv4-keyd/hop-protocol';
import { SHARED_LIFETIMES, type Relation, type ServiceSettings } from '@sigv4-keyd/service-skeleton';

type RelatedSettings = ServiceSettings & {
  readonly signerKey: SignerPrivateKey;
  readonly signerKeyBefore?: SignerPrivateKey | undefined;
};

/** How the settings of a signer must stand to each other. */
export const LIFETIMES: readonly Relation<RelatedSettings>[] = [
  ...SHARED_LIFETIMES,
  {
    between: ['signerKey', 'signerKeyBefore'],
    // Both may be absent here: what is missing is told apart.
    problem: ({ signerKey, signerKeyBefore }: Partial<RelatedSettings>) =>
      signerKeyBefore !== undefined && signerKeyBefore.id === signerKey?.id
        ? 'KEYD_SIGNER_KEY_BEFORE is the same key as KEYD_SIGNER_KEY; leave it out'
        : undefined,
  },
];
