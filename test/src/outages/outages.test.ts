import t, { type Test } from 'tap';
import { OutageStack } from './outage-stack.js';
import { OUTAGES, type Outage } from './rows.js';

const HOUR = 3_600_000;
const UNTIL_JUST_BEFORE = 11.8 * HOUR;
const JUST_AFTER = 0.4 * HOUR;

type Keys = Readonly<Record<'held' | 'unheld', Awaited<ReturnType<OutageStack['createAccessKey']>>>>;

/** A stack on which one access key was used already and another was not. */
async function startedAt(t: Test, at: string, env: Readonly<Record<string, string>> = {}) {
  const stack = await OutageStack.start(t, at, env);
  const keys: Keys = { held: await stack.createAccessKey('held'), unheld: await stack.createAccessKey('unheld') };
  t.equal(await stack.verdictOn(keys.held), 'served', 'before the outage');
  return { stack, keys };
}

/** News of revocations stop with the outage: the clock of silence ends first here, after twelve hours. */
async function silenceEnds(t: Test, stack: OutageStack, { held }: Keys): Promise<void> {
  await stack.leap(UNTIL_JUST_BEFORE - HOUR);
  t.equal(await stack.verdictOn(held), 'served', 'almost twelve hours later');
  await stack.leap(JUST_AFTER);
  t.equal(await stack.verdictOn(held), 'feed-stale', 'after twelve hours');
}

async function recovers(t: Test, stack: OutageStack, { held, unheld }: Keys): Promise<void> {
  await stack.untilFresh();
  t.equal(await stack.verdictOn(held), 'served', 'after the outage, by itself');
  t.equal(await stack.verdictOn(unheld), 'served');
  t.equal(await stack.change(), 'done');
}

/** The proof of each row. A row without one does not compile. */
const PROOFS: Readonly<Record<Outage, (t: Test) => Promise<void>>> = {
  async database(t) {
    const { stack, keys } = await startedAt(t, '01:00');
    await stack.postgres.kill9();
    await stack.leap(HOUR);
    t.equal(await stack.verdictOn(keys.held), 'served');
    t.equal(await stack.verdictOn(keys.unheld), 'keys-unavailable');
    t.match(await stack.change(), /database/);
    await silenceEnds(t, stack, keys);
    await stack.postgres.restart();
    await recovers(t, stack, keys);
  },
  async master(t) {
    const { stack, keys } = await startedAt(t, '01:00');
    await stack.down('master');
    await stack.leap(HOUR);
    t.equal(await stack.verdictOn(keys.held), 'served');
    t.equal(await stack.verdictOn(keys.unheld), 'keys-unavailable');
    t.match(await stack.change(), /cannot be reached|reach|connect/i);
    await silenceEnds(t, stack, keys);
    await stack.up('master');
    await recovers(t, stack, keys);
  },
  async region(t) {
    const { stack, keys } = await startedAt(t, '01:00');
    const doomed = await stack.createAccessKey('doomed');
    t.equal(await stack.verdictOn(doomed), 'served');
    await stack.down('region');
    await stack.leap(HOUR);
    t.equal(await stack.verdictOn(keys.held), 'served');
    t.equal(await stack.verdictOn(keys.unheld), 'keys-unavailable');
    await stack.disable(doomed.accessKeyId);
    t.equal(await stack.verdictOn(doomed), 'served', 'not yet');
    await silenceEnds(t, stack, keys);
    await stack.up('region');
    await recovers(t, stack, keys);
    const verdict = await untilNot(stack, 'served', () => stack.verdictOn(doomed));
    t.equal(verdict, 'access-key-disabled', 'it took effect when the region was back');
  },
  async both(t) {
    const { stack, keys } = await startedAt(t, '01:00');
    await stack.down('region');
    await stack.down('master');
    await stack.leap(HOUR);
    t.equal(await stack.verdictOn(keys.held), 'served');
    t.equal(await stack.verdictOn(keys.unheld), 'keys-unavailable');
    t.not(await stack.change(), 'done');
    await silenceEnds(t, stack, keys);
    await stack.up('master');
    await stack.up('region');
    await recovers(t, stack, keys);
  },
  async certificate(t) {
    const { stack, keys } = await startedAt(t, '01:00');
    const doomed = await stack.createAccessKey('doomed');
    t.equal(await stack.verdictOn(doomed), 'served');
    await stack.placeCertificate('edge', 'expired');
    await stack.reload('edge');
    // A certificate is looked at when a connection begins.
    await stack.down('region');
    await stack.up('region');
    await stack.leap(HOUR);
    t.equal(await stack.verdictOn(keys.held), 'served');
    t.equal(await stack.verdictOn(keys.unheld), 'keys-unavailable');
    await stack.disable(doomed.accessKeyId);
    t.equal(await stack.verdictOn(doomed), 'served', 'no news of it yet');
    await silenceEnds(t, stack, keys);
    await stack.placeCertificate('edge', 'good');
    await recovers(t, stack, keys);
    const verdict = await untilNot(stack, 'served', () => stack.verdictOn(doomed));
    t.equal(verdict, 'access-key-disabled', 'it took effect when there was a new certificate');
  },
  async regionCertificate(t) {
    const { stack, keys } = await startedAt(t, '01:00');
    await stack.placeCertificate('region', 'expired');
    // A certificate is looked at when a connection begins.
    await stack.down('region');
    await stack.up('region');
    await stack.leap(HOUR);
    t.equal(await stack.verdictOn(keys.held), 'served');
    t.equal(await stack.verdictOn(keys.unheld), 'keys-unavailable');
    await silenceEnds(t, stack, keys);
    await stack.placeCertificate('region', 'good');
    await recovers(t, stack, keys);
  },
  async clock(t) {
    const { stack, keys } = await startedAt(t, '01:00');
    const urlOf = stack.clock.now();
    for (const [offMs, reason] of [
      [20 * 60_000, 'request-too-old'],
      [-20 * 60_000, 'request-in-future'],
    ] as const) {
      await stack.down('edge');
      stack.edgeOffMs = offMs;
      await stack.up('edge');
      await stack.leap(1_000);
      t.equal(await stack.verdictOn(keys.held), reason);
      t.equal(await stack.verdictOn(keys.unheld), reason);
    }
    t.equal(
      await stack.verdictOn(keys.held, { urlOf }),
      'presigned-not-yet-valid',
      'nor a URL that was signed just now',
    );
    await stack.disable(keys.unheld.accessKeyId);
    await stack.leap(12.5 * HOUR);
    t.equal(await stack.verdictOn(keys.held, { urlOf }), 'feed-stale', 'to a clock behind, all news are of the future');

    await stack.down('edge');
    stack.edgeOffMs = 20 * 60_000;
    await stack.up('edge');
    t.equal(
      await untilNot(stack, 'feed-stale', () => stack.verdictOn(keys.held, { urlOf })),
      'served',
      'a URL that lives',
    );
    await stack.disable(keys.held.accessKeyId);
    t.equal(await untilNot(stack, 'served', () => stack.verdictOn(keys.held, { urlOf })), 'access-key-disabled');
  },
  async edgeDisk(t) {
    const { stack, keys } = await startedAt(t, '01:00');
    stack.fillEdgeDisk();
    await stack.leap(HOUR);
    await stack.untilFresh();
    t.equal(await stack.verdictOn(keys.held), 'served');
    t.equal(await stack.verdictOn(keys.unheld), 'served', 'fetched as ever');
    await stack.disable(keys.unheld.accessKeyId);
    t.equal(await untilNot(stack, 'served', () => stack.verdictOn(keys.unheld)), 'access-key-disabled');
    t.equal(await stack.verdictOn(keys.held), 'served');
  },
  async regionDisk(t) {
    const { stack, keys } = await startedAt(t, '01:00');
    stack.isRegionDiskFull = true;
    await stack.leap(HOUR);
    await stack.untilFresh();
    t.equal(await stack.verdictOn(keys.held), 'served');
    t.equal(await stack.verdictOn(keys.unheld), 'keys-unavailable', 'not recorded, so not released');
    await stack.disable(keys.held.accessKeyId);
    t.equal(await untilNot(stack, 'served', () => stack.verdictOn(keys.held)), 'access-key-disabled');
    stack.isRegionDiskFull = false;
    t.equal(await stack.verdictOn(keys.unheld), 'served', 'when there is room again');
  },
  async edgeRestart(t) {
    const { stack, keys } = await startedAt(t, '01:00');
    await stack.leap(10_000);
    await stack.down('region');
    await stack.down('edge');
    await stack.up('edge');
    t.equal(await stack.verdictOn(keys.held), 'served', 'from disk');
    t.equal(await stack.verdictOn(keys.unheld), 'keys-unavailable');
    await stack.up('region');
    await recovers(t, stack, keys);
    await t.test('in memory only', async (t) => {
      const forgetful = await startedAt(t, '01:00', { KEYD_KEY_CACHE: 'memory' });
      await forgetful.stack.down('region');
      await forgetful.stack.down('edge');
      await forgetful.stack.up('edge');
      t.equal(await forgetful.stack.verdictOn(forgetful.keys.held), 'keys-unavailable');
      await forgetful.stack.up('region');
      await recovers(t, forgetful.stack, forgetful.keys);
    });
  },
  async regionRestart(t) {
    const { stack, keys } = await startedAt(t, '01:00');
    await stack.leap(10_000);
    await stack.down('master');
    await stack.down('region');
    await stack.up('region');
    // A new edge holds nothing: what it gets, the region had.
    await stack.down('edge');
    stack.forgetEdge();
    await stack.up('edge');
    await stack.untilFresh();
    t.equal(await stack.verdictOn(keys.held), 'served', 'from the disk of the region');
    t.equal(await stack.verdictOn(keys.unheld), 'keys-unavailable');
    await stack.up('master');
    await recovers(t, stack, keys);
  },
  async masterRestart(t) {
    const { stack, keys } = await startedAt(t, '01:00');
    await stack.postgres.kill9();
    await stack.down('master');
    const failure = await stack.up('master').then(
      () => undefined,
      (error: unknown) => error,
    );
    t.match(failure, { name: 'StartError', exitCode: 69 }, 'it waits, and says that it waited in vain');
    await stack.leap(HOUR);
    t.equal(await stack.verdictOn(keys.held), 'served');
    t.equal(await stack.verdictOn(keys.unheld), 'keys-unavailable');
    t.not(await stack.change(), 'done');
    await silenceEnds(t, stack, keys);
    await stack.postgres.restart();
    await stack.up('master');
    await recovers(t, stack, keys);
  },
};

/** Tries until it ends otherwise; the clock goes on by half seconds. */
async function untilNot(stack: OutageStack, verdict: string, attempt: () => Promise<string>): Promise<string> {
  let last = await attempt();
  for (let tries = 0; last === verdict && tries < 200; tries += 1) {
    await stack.leap(500);
    last = await attempt();
  }
  return last;
}

t.setTimeout(300_000);

for (const [outage, { down }] of Object.entries(OUTAGES)) {
  t.test(down, (t) => PROOFS[outage as Outage](t));
}

t.test('the clock of keys: to the next midnight, or the one after', async (t) => {
  // Silence may last longer here, so that only the keys run out.
  const { stack, keys } = await startedAt(t, '10:00', { KEYD_HARD_HORIZON: '60h' });
  await stack.down('region');
  await stack.leap(13.9 * HOUR);
  t.equal(await stack.verdictOn(keys.held), 'served', 'at 23:54');
  await stack.leap(0.2 * HOUR);
  t.equal(await stack.verdictOn(keys.held), 'keys-unavailable', 'at 00:06: tomorrow was not fetched yet');
  await stack.up('region');
  await recovers(t, stack, keys);
  for (let hour = 1; hour <= 19; hour += 1) await stack.leap(HOUR);
  await stack.untilFresh();
  await stack.leap(10 * 60_000);
  await stack.down('region');
  await stack.leap(28 * HOUR);
  t.equal(await stack.verdictOn(keys.held), 'served', 'through a midnight, since the outage began in the evening');
  await stack.leap(1 * HOUR);
  t.equal(await stack.verdictOn(keys.held), 'keys-unavailable', 'until the one after');
});
