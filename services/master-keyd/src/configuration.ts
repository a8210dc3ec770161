import {
  budgetSettings,
  hopListen,
  metricsListen,
  related,
  seconds,
  serviceSettings,
  tracesSettings,
} from '@sigv4-keyd/service-skeleton';
import { z } from 'zod';
import { CUSTODY_RELATIONS, custodySettings } from './custody/keeper.js';
import { parseDatabaseUrl } from './database/database-url.js';
import { LIFETIMES } from './lifetimes.js';

/** The message never quotes the URL: it holds a password. */
const databaseUrl = z
  .string()
  .refine(
    (text) => parseDatabaseUrl(text) !== undefined,
    'must be postgres://USER:PASSWORD@HOST:PORT/DATABASE, with HOST:PORT,HOST:PORT for several hosts, ' +
      'and with target_session_attrs read-write, primary or any, if it is given',
  );

/** A JSON document. It may hold a private key, by mistake where it should not, and a function prints no part of it. */
function json(what: string) {
  return z.string().transform((text, context): (() => unknown) => {
    const parsed = parseJson(text);
    if (parsed === undefined) {
      const message = `must be ${what} in JSON; keydctl feed-keys makes it`;
      context.issues.push({ code: 'custom', input: undefined, message });
    }
    return () => parsed;
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message would quote the text.
    return undefined;
  }
}

/** A signer key, kept in a function, which prints no part of it. */
const signerKey = z.string().transform(
  (text): (() => string) =>
    () =>
      text.trim(),
);

const settings = z.object({
  ...serviceSettings,
  metricsListen,
  ...tracesSettings,
  listen: hopListen,
  ...budgetSettings,
  databaseUrl: databaseUrl
    .meta({ names: 'database' })
    .describe('PostgreSQL, one host or several; better given by KEYD_DATABASE_URL_FILE, as it holds a password'),
  ...custodySettings,
  revocationKey: json('a JWK').describe(
    'Signs revocations and session tokens: a JWK; better given by KEYD_REVOCATION_KEY_FILE',
  ),
  beaconKey: json('a JWK').describe('Signs the beacon: a JWK; better given by KEYD_BEACON_KEY_FILE'),
  feedKeys: json('a JWKS').describe('Public keys of the feed: a JWKS with the root key; normally KEYD_FEED_KEYS_FILE'),
  ledgerKey: signerKey.describe('Signs the checkpoints of the ledger; better given by KEYD_LEDGER_KEY_FILE'),
  beaconEvery: seconds
    .refine((every) => every >= 1 && every <= 60, 'must be between 1s and 60s')
    .prefault('2s')
    .describe('How often the beacon is signed'),
  beaconLife: seconds
    .refine((life) => life >= 600 && life <= 7 * 86_400, 'must be between 10m and 7d')
    .prefault('24h')
    .describe('Life of a beacon: at least the longest hard horizon of any edge'),
  acceptancesKept: seconds
    .refine((kept) => kept >= 9 * 86_400 && kept <= 3_650 * 86_400, 'must be between 9d and 3650d')
    .prefault('90d')
    .describe('For how long the roll-ups of accepted signatures are kept, for incident reports; whole days'),
  allowDeputies: z
    .enum(['yes', 'no'])
    .default('no')
    .transform((answer) => answer === 'yes')
    .describe('Whether kDate of days that operators grant is given to deputies; the same on every master'),
  databaseWait: seconds.prefault('60s').describe('How long a database that is not up yet is waited for at start'),
});

/** The settings of master-keyd. */
export const configuration = related(settings, [...LIFETIMES, ...CUSTODY_RELATIONS]);

export type Configuration = z.output<typeof configuration>;
