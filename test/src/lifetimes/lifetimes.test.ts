import { join } from 'node:path';
import { EDGE_LIFETIMES } from '@sigv4-keyd/edge-keys';
import { configuration } from '@sigv4-keyd/edge-verifier';
import { PREFETCH_HOURS } from '@sigv4-keyd/hop-protocol';
import { MASTER_LIFETIMES } from '@sigv4-keyd/master-keyd';
import { createAuthority } from '@sigv4-keyd/pki';
import { REGION_LIFETIMES } from '@sigv4-keyd/region-keyd';
import { ConfigurationError, doubtsAbout, readConfiguration, type Relation } from '@sigv4-keyd/service-skeleton';
import t from 'tap';
import { environmentOf } from '../edge-verifier/edge-under-test.js';

const DAY = 86_400;

/** Settings that nothing is wrong with, but for the certificate. */
const SHARED = {
  trustDomain: 'keyd.test',
  tlsKey: '',
  tlsCa: '',
  healthListen: { host: '127.0.0.1', port: 1 },
  logLevel: 'info',
  longestPresigned: 7 * DAY,
  clockSkew: 900,
} as const;
const KEEPING = { ...SHARED, keyMemory: 2 ** 30, publicKeyMemory: 2 ** 26 };
const EDGE = { ...KEEPING, presigned: true, softHorizon: 60, hardHorizon: 12 * 3_600 };
const MASTER = { ...SHARED, beaconEvery: 2, beaconLife: DAY };

interface Case {
  /** `certificateSeconds` is how long the certificate lasts. */
  readonly settings: object;
  readonly problem: RegExp;
  readonly isDoubtful?: boolean;
}

const SHARED_CASES: readonly Case[] = [
  { settings: { certificateSeconds: 19 }, problem: /KEYD_TLS_CERT lives for 19s.* 2 x 10s = 20s/ },
  {
    settings: { certificateSeconds: 900 },
    problem: /lives for 900s, no longer than.*KEYD_CLOCK_SKEW, 900s/,
    isDoubtful: true,
  },
];

t.test('each relation between lifetimes has settings that break it, and is told with its arithmetic', async (t) => {
  const folder = t.testdir();
  let issued = 0;
  const born = Date.parse('2026-11-22T12:00:00Z');
  const authority = await createAuthority({ folder: join(folder, 'ca'), trustDomain: 'keyd.test', now: born });
  const [authorityBegins, early] = [born - 300_000, born - 7 * DAY * 1000];
  /** Issued before its authority was good, so that it begins with it: the rest is how long it lasts. */
  const certificateOf = async (seconds: number): Promise<string> => {
    const days = (authorityBegins + seconds * 1000 - early) / (DAY * 1000);
    const spiffeId = 'spiffe://keyd.test/master/m';
    issued += 1;
    const names = { spiffeId, dnsNames: ['localhost'], ipAddresses: [] };
    return (await authority.issue({ ...names, days, folder: join(folder, `peer-${issued}`), now: early })).cert;
  };
  const sound = await certificateOf(30 * DAY);

  async function check<Settings extends object>(
    tier: string,
    relations: readonly Relation<Settings>[],
    good: Omit<Settings, 'tlsCert'>,
    cases: readonly Case[],
  ): Promise<void> {
    const settingsOf = (tlsCert: string, further: object): Settings =>
      ({ ...good, tlsCert, ...further }) as unknown as Settings;
    for (const { problem } of relations) t.equal(problem(settingsOf(sound, {})), undefined, `${tier}: sound`);
    for (const { problem } of relations) t.equal(problem(settingsOf('/nowhere', {})), undefined, `${tier}: no file`);
    const broken = new Set<Relation<Settings>>();
    for (const { settings, problem: expected, isDoubtful = false } of cases) {
      const { certificateSeconds, ...further } = settings as { readonly certificateSeconds?: number };
      const tlsCert = certificateSeconds === undefined ? sound : await certificateOf(certificateSeconds);
      const all = settingsOf(tlsCert, further);
      const objecting = relations.filter(
        (relation) => relation.isDoubtful === (isDoubtful || undefined) && relation.problem(all) !== undefined,
      );
      t.equal(objecting.length, 1, `${tier}: ${JSON.stringify(settings)} breaks one relation`);
      for (const relation of objecting) {
        broken.add(relation);
        t.match(relation.problem(all), expected);
        if (isDoubtful) t.match(doubtsAbout(all, relations).join('\n'), expected);
      }
    }
    const untested = relations.filter((relation) => !broken.has(relation));
    t.same(
      untested.map(({ between }) => between),
      [],
      `${tier}: every relation was broken once`,
    );
  }

  const presigned = {
    settings: { longestPresigned: 900 },
    problem: /live for 900s at most.*KEYD_CLOCK_SKEW, 900s/,
    isDoubtful: true,
  };
  const memory = {
    settings: { keyMemory: 800 * 1024 },
    problem:
      /KEYD_KEY_MEMORY holds 997 access keys a day \(819200 B \/ \(9 days x 88 B \+ 29 B an access key\)\).*802KiB/,
  };
  const publicMemory = {
    settings: { publicKeyMemory: 800 * 1024 },
    problem: /KEYD_PUBLIC_KEY_MEMORY holds \d+ access keys a day.*set \d+KiB/,
  };
  await check('region', REGION_LIFETIMES, KEEPING, [...SHARED_CASES, presigned, memory, publicMemory]);
  await check('edge', EDGE_LIFETIMES, EDGE, [
    ...SHARED_CASES,
    presigned,
    memory,
    publicMemory,
    { settings: { hardHorizon: 9, softHorizon: 8 }, problem: /KEYD_HARD_HORIZON is 9s.* 2 x 5s = 10s/ },
    { settings: { hardHorizon: 3_600, softHorizon: 3_600 }, problem: /KEYD_SOFT_HORIZON \(3600s\) must be below/ },
    { settings: { softHorizon: 9 }, problem: /KEYD_SOFT_HORIZON is 9s, below 2 beats/, isDoubtful: true },
    { settings: { hardHorizon: 900 }, problem: /\(900s\) is not above KEYD_CLOCK_SKEW \(900s\)/, isDoubtful: true },
    { settings: { hardHorizon: 129_601 }, problem: /is 129601s, but keys last for 129600s/, isDoubtful: true },
  ]);
  await check('master', MASTER_LIFETIMES, MASTER, [
    ...SHARED_CASES,
    presigned,
    { settings: { beaconLife: 900 }, problem: /KEYD_BEACON_LIFE \(900s\) must be above KEYD_CLOCK_SKEW \(900s\)/ },
    { settings: { beaconLife: 43_199 }, problem: /is 43199s, below the default hard horizon/, isDoubtful: true },
    { settings: { beaconEvery: 31 }, problem: /is 31s, above half of the default soft horizon/, isDoubtful: true },
  ]);
});

t.test('impossible lifetimes are told together with everything else that is wrong', (t) => {
  const environment = {
    ...environmentOf(t.testdir()),
    KEYD_KEY_MEMORY: '64KiB',
    KEYD_HARD_HORIZON: '5s',
    KEYD_PRESIGNED: '1',
  };
  const problems = ((): readonly string[] => {
    try {
      readConfiguration(configuration, environment);
      return [];
    } catch (error) {
      if (error instanceof ConfigurationError) return error.problems;
      throw error;
    }
  })();
  t.equal(problems.length, 3, problems.join('\n'));
  t.match(problems.join('\n'), /KEYD_PRESIGNED[^]*KEYD_HARD_HORIZON is 5s[^]*KEYD_SOFT_HORIZON \(60s\)/);
  t.notMatch(problems.join('\n'), /KEYD_KEY_MEMORY/, 'it hangs on a setting that could not be read');
  t.end();
});

t.test('the hours of fetching ahead leave room for the largest skew before midnight', (t) => {
  const largestSkewMs = 3_600_000;
  const beatMs = 60_000;
  for (const { from, to } of Object.values(PREFETCH_HOURS)) {
    t.ok(from >= 12 * 3_600_000, 'not before tomorrow is in the window');
    t.ok(to + beatMs + largestSkewMs < DAY * 1000);
  }
  t.end();
});
