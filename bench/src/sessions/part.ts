import { SessionTokens, signSessionToken, systemClock, type Session } from '@sigv4-keyd/hop-protocol';
import { createFeedKey, pinFeedKeys, publicJwks } from '@sigv4-keyd/revocation';
import type { BenchPart } from '../bench-part.js';
import type { Measured } from '../measured.js';

const ACCESS_KEY_ID = 'ASIABENCHMARKS000000';
const AT_ONCE = 64;

const COUNT = { whole: 20_480, quick: 2_048, tiny: 64 } as const;

export const part: BenchPart = {
  about: 'judging a session token, one that is known and made-up ones',
  goals: [],
  run: ({ scale }) => benchSessionTokens(COUNT[scale]),
};

async function benchSessionTokens(count: number): Promise<Measured> {
  const [key, beacon, root] = [
    await createFeedKey('revocation'),
    await createFeedKey('beacon'),
    await createFeedKey('root'),
  ];
  const pinned = await pinFeedKeys(publicJwks([key, beacon, root]));
  const tokens = new SessionTokens({ region: 'us-east-1', service: 's3', pinned, clock: systemClock });
  const now = systemClock.now();
  const session: Session = {
    accessKeyId: ACCESS_KEY_ID,
    parentAccessKeyId: 'AKIABENCHMARKS000000',
    name: 'alice',
    services: ['s3'],
    createdAt: now,
    expiresAt: now + 3_600_000,
  };
  const token = await signSessionToken(session, key);
  await tokens.find(ACCESS_KEY_ID, token);
  const madeUp = (n: number): string => `${token.slice(0, -12)}${String(n).padStart(10, '0')}${token.slice(-2)}`;
  let n = 0;
  const judge = async (): Promise<void> => {
    await Promise.all(Array.from({ length: AT_ONCE }, async () => tokens.find(ACCESS_KEY_ID, madeUp((n += 1)))));
  };
  await judge();
  const known = await costOf(count * 20, () => {
    for (let i = 0; i < count * 20; i += 1) void tokens.find(ACCESS_KEY_ID, token);
  });
  const unknown = await costOf(count, async () => {
    for (let i = 0; i < count; i += AT_ONCE) await judge();
  });
  const table = {
    title: `A session token of ${token.length} bytes`,
    head: ['token', 'wall, µs', 'CPU of all threads, µs'],
    rows: [
      ['known', ...known],
      [`made up, ${AT_ONCE} at once`, ...unknown],
    ],
    notes: [],
  };
  return { tables: [table], figures: {}, plots: [] };
}

async function costOf(count: number, task: () => void | Promise<void>): Promise<readonly number[]> {
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await task();
  const wallUs = (performance.now() - begun) * 1000;
  const { user, system } = process.cpuUsage(cpu);
  return [wallUs, user + system].map((us) => us / count);
}
