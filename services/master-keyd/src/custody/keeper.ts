import { variableOf, type Relation } from '@sigv4-keyd/service-skeleton';
import { z } from 'zod';
import type { ExternalKeeper } from './external/external-keeper.js';
import { externalCustodySettings } from './external/external-settings.js';
import type { FileKeeper } from './file-keeper.js';
import { fileCustodySettings } from './file-settings.js';
import type { Pkcs11Keeper } from './pkcs11/pkcs11-keeper.js';
import { DEFAULT_SESSIONS, pkcs11Settings } from './pkcs11/pkcs11-settings.js';

/** A keeper as it was chosen, with the settings that are its own. */
export type Keeper = FileKeeper | Pkcs11Keeper | ExternalKeeper;

/** Which keeper it is to be, and the settings of each. */
export const custodySettings = {
  custody: z
    .enum(['file', 'pkcs11', 'external'])
    .default('file')
    .describe('What keeps the secrets; docs/custody.md tells which settings belong to which keeper'),
  ...fileCustodySettings,
  ...pkcs11Settings,
  ...externalCustodySettings,
};

type CustodySettings = z.output<z.ZodObject<typeof custodySettings>>;
type KeeperSetting = Exclude<keyof CustodySettings, 'custody'>;

/** What each keeper takes. A setting of another one would have no effect, and somebody believes that it has. */
const TAKES: Readonly<Record<Keeper['keeper'], Readonly<Partial<Record<KeeperSetting, 'needed' | 'optional'>>>>> = {
  file: { custodyKey: 'needed', custodyKeyBefore: 'optional', recoveryKey: 'optional' },
  external: { signers: 'needed', signerKey: 'needed', signerKeyBefore: 'optional', custodyKeyBefore: 'optional' },
  pkcs11: {
    custodyKeyBefore: 'optional',
    pkcs11Module: 'needed',
    pkcs11Token: 'needed',
    pkcs11Pin: 'needed',
    pkcs11Key: 'needed',
    pkcs11KeyBefore: 'optional',
    pkcs11Sessions: 'optional',
  },
};

const KEEPER_SETTINGS: readonly KeeperSetting[] = [
  'custodyKey',
  'custodyKeyBefore',
  'recoveryKey',
  'signers',
  'signerKey',
  'signerKeyBefore',
  'pkcs11Module',
  'pkcs11Token',
  'pkcs11Pin',
  'pkcs11Key',
  'pkcs11KeyBefore',
  'pkcs11Sessions',
];

/** A keeper has all that it needs, and nothing of another one. */
export const CUSTODY_RELATIONS: readonly Relation<CustodySettings>[] = KEEPER_SETTINGS.map((setting) => ({
  between: ['custody', setting],
  problem(settings) {
    const taken = TAKES[settings.custody][setting];
    if (settings[setting] !== undefined) {
      if (taken) return undefined;
      return `${variableOf(setting)} has no meaning with KEYD_CUSTODY=${settings.custody}; leave it out`;
    }
    return taken === 'needed' ? `${variableOf(setting)} is missing` : undefined;
  },
}));

/** The keeper that a configuration chooses, once the relations hold. */
export function keeperOf(settings: CustodySettings): Keeper {
  return CHOSEN[settings.custody](settings);
}

const CHOSEN: Readonly<Record<Keeper['keeper'], (settings: CustodySettings) => Keeper>> = {
  file: (settings) => ({
    keeper: 'file',
    custodyKey: needed(settings, 'custodyKey'),
    custodyKeyBefore: settings.custodyKeyBefore,
    recoveryKey: settings.recoveryKey,
  }),
  external: (settings) => ({
    keeper: 'external',
    signers: needed(settings, 'signers'),
    signerKey: needed(settings, 'signerKey'),
    signerKeyBefore: settings.signerKeyBefore,
    custodyKeyBefore: settings.custodyKeyBefore,
  }),
  pkcs11: (settings) => ({
    keeper: 'pkcs11',
    module: needed(settings, 'pkcs11Module'),
    token: needed(settings, 'pkcs11Token'),
    pin: needed(settings, 'pkcs11Pin'),
    key: needed(settings, 'pkcs11Key'),
    keyBefore: settings.pkcs11KeyBefore,
    sessions: settings.pkcs11Sessions ?? DEFAULT_SESSIONS,
    custodyKeyBefore: settings.custodyKeyBefore,
  }),
};

function needed<Setting extends KeeperSetting>(
  settings: CustodySettings,
  setting: Setting,
): NonNullable<CustodySettings[Setting]> {
  return settings[setting] ?? missing(setting);
}

function missing(setting: KeeperSetting): never {
  throw new Error(`${variableOf(setting)} is missing, which the relations of the settings should have told`);
}
