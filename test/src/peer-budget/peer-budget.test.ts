import { KeydError } from '@sigv4-keyd/hop-protocol';
import {
  accountsInMemory,
  draw,
  newAccount,
  PeerBudget,
  type BudgetAccounts,
  type BudgetLimits,
} from '@sigv4-keyd/service-skeleton';
import t from 'tap';
import { capturedLog } from '../master-keyd/master-under-test.js';
import { VirtualClock } from '../support/virtual-clock.js';

const NOON = Date.parse('2026-11-22T12:00:00Z');
const LIMITS: BudgetLimits = { peerKeysPerSecond: 10, peerRequestsPerSecond: 2, peerKeysADay: 20_000 };
const ONE = { keys: 1, requests: 1 };
const EDGE = 'spiffe://keyd.test/edge/eu-west-1/s3/e1';

function budgetOf(limits: BudgetLimits, accounts: BudgetAccounts = accountsInMemory(), clock = new VirtualClock(NOON)) {
  const { log, logged } = capturedLog();
  return { clock, logged, budget: new PeerBudget({ accounts, limits, mostAtATime: 4, clock, log }) };
}

/** How many of these requests are let through. */
async function passed(budget: PeerBudget, requests: number, keys: number, peer = EDGE): Promise<number> {
  let count = 0;
  for (let request = 0; request < requests; request += 1) {
    await budget
      .run(peer, keys, () => Promise.resolve((count += 1)))
      .catch((error: unknown) => {
        if (!(error instanceof KeydError) || error.code !== 'too-many-requests') throw error;
      });
  }
  return count;
}

t.test('an account fills up with time to what may be asked for at once, and not further', (t) => {
  let account = newAccount(LIMITS, NOON);
  t.match(account, { keys: 12_000, requests: 20, keysOfDay: 0 });
  const drawn = draw(account, { limits: LIMITS, wanted: ONE, now: NOON });
  t.match(drawn, { portion: { keys: 120, requests: 1 }, account: { keys: 11_880, requests: 19, keysOfDay: 120 } });
  account = drawn.account;
  for (const [seconds, keys, requests] of [
    [0, 11_880, 19],
    [1, 11_890, 20],
    [5, 11_930, 20],
    [600, 12_000, 20],
    [-60, 11_880, 19],
  ] as const) {
    const later = draw(account, { limits: LIMITS, wanted: ONE, now: NOON + seconds * 1000 });
    t.match(later.account, { keys: keys - 120, requests: requests - 1 }, `${seconds} seconds later`);
  }
  t.same(draw({ ...account, keys: 0 }, { limits: LIMITS, wanted: ONE, now: NOON }).account.at, NOON);
  t.match(draw({ ...account, keys: 0.5 }, { limits: LIMITS, wanted: ONE, now: NOON }), { retryAfterSeconds: 1 });
  t.match(draw({ ...account, requests: 0 }, { limits: LIMITS, wanted: ONE, now: NOON }), { retryAfterSeconds: 1 });
  t.end();
});

t.test('the count of a day ends at midnight UTC, and no clock that is behind brings it back', (t) => {
  const day = newAccount(LIMITS, NOON);
  const spent = { ...day, keysOfDay: LIMITS.peerKeysADay };
  const refused = draw(spent, { limits: LIMITS, wanted: ONE, now: NOON + 1_500 });
  t.match(refused, { retryAfterSeconds: 12 * 3_600 - 1 });
  const next = draw(refused.account, { limits: LIMITS, wanted: ONE, now: NOON + 12 * 3_600_000 });
  t.match(next, { portion: { keys: 120 }, account: { keysOfDay: 120 } });
  const behind = draw(next.account, { limits: LIMITS, wanted: ONE, now: NOON + 12 * 3_600_000 - 5_000 });
  t.match(behind, { account: { day: next.account.day, keysOfDay: 240 } });
  t.end();
});

t.test('over its budget a peer is told to wait, and goes on when the time is over', async (t) => {
  const { budget, clock, logged } = budgetOf(LIMITS);
  t.equal(await passed(budget, 100, 1), 20, 'ten seconds of requests');
  t.same(budget.warnings(), [`${EDGE} has used up its budget of access keys and is told to wait`]);
  t.equal(logged.filter((line) => line.includes('budget-used-up')).length, 1, 'told once');
  t.same(budget.counts, [{ role: 'edge', keys: 20, refused: 80, exhausted: 1 }], 'and counted');
  t.equal(await passed(budget, 5, 1, 'spiffe://keyd.test/edge/eu-west-1/s3/e2'), 5, 'others are not concerned');
  await clock.advance(999);
  t.equal(await passed(budget, 5, 1), 0);
  await clock.advance(1);
  t.equal(await passed(budget, 5, 1), 2, 'a second of requests');
  await clock.advance(3_600_000);
  t.equal(await passed(budget, 100, 1), 20);
  await t.rejects(
    budget.run(EDGE, 1, () => Promise.resolve()),
    { code: 'too-many-requests', retryAfterSeconds: 1 },
  );
});

t.test('a request for more than is left is let through, and paid off by those after it', async (t) => {
  const limits = { ...LIMITS, peerRequestsPerSecond: 1_000, peerKeysADay: 1_000_000 };
  const { budget, clock } = budgetOf(limits);
  t.equal(await passed(budget, 100, 5_000), 3, '12,000 at once, and the debt of the last');
  await clock.advance(299_000);
  t.equal(await passed(budget, 1, 1), 0, 'a debt of 3,000 at 10 a second');
  await clock.advance(2_000);
  t.equal(await passed(budget, 1, 1), 1);
});

t.test('a day is bounded, whatever the rate', async (t) => {
  const limits = { peerKeysPerSecond: 1_000_000, peerRequestsPerSecond: 1_000_000, peerKeysADay: 20_000 };
  const { budget, clock } = budgetOf(limits);
  t.equal(await passed(budget, 100, 1_000), 20);
  await clock.advance(11 * 3_600_000);
  t.equal(await passed(budget, 100, 1_000), 0);
  await clock.advance(3_600_000);
  t.equal(await passed(budget, 100, 1_000), 20, 'the next day');
});

t.test('replicas that share accounts give one budget together, a restart gives none anew', async (t) => {
  const accounts = accountsInMemory();
  const replicas = [budgetOf(LIMITS, accounts), budgetOf(LIMITS, accounts), budgetOf(LIMITS, accounts)];
  let together = 0;
  for (let request = 0; request < 60; request += 1) {
    const replica = replicas[request % 3];
    if (replica) together += await passed(replica.budget, 1, 1);
  }
  t.equal(together, 20);
  t.equal(await passed(budgetOf(LIMITS, accounts).budget, 10, 1), 0);
});

t.test('pages are counted as they go, and a stream over the budget ends', async (t) => {
  const { budget } = budgetOf({ ...LIMITS, peerRequestsPerSecond: 1_000 });
  let made = 0;
  async function* pages(): AsyncGenerator<readonly number[]> {
    for (;;) {
      await Promise.resolve();
      made += 1;
      yield Array.from({ length: 5_000 }, (_, n) => n);
    }
  }
  let taken = 0;
  const all = async (): Promise<void> => {
    for await (const page of budget.meter(EDGE, pages())) taken += page.length;
  };
  await t.rejects(all(), { code: 'too-many-requests' });
  t.same([made, taken], [3, 15_000], 'nothing was made that could not be given');
});

t.test('few requests of a peer run at a time, few more wait, and each has its turn', async (t) => {
  const { budget } = budgetOf({ ...LIMITS, peerRequestsPerSecond: 1_000 });
  const ends: (() => void)[] = [];
  let running = 0;
  let most = 0;
  const task = async (): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    await new Promise<void>((resolve) => ends.push(resolve));
    running -= 1;
  };
  const outcomes = Array.from({ length: 50 }, () =>
    budget.run(EDGE, 1, task).then(
      () => 'done' as const,
      (error: unknown) => (error instanceof KeydError ? error.code : 'other'),
    ),
  );
  const other = budget.run('spiffe://keyd.test/edge/eu-west-1/s3/e2', 1, () => Promise.resolve('at once'));
  t.equal(await other, 'at once', 'nobody else waits for it');
  let settled = 0;
  void Promise.all(outcomes.map((outcome) => outcome.then(() => (settled += 1))));
  while (settled < outcomes.length) {
    ends.shift()?.();
    await new Promise(setImmediate);
  }
  const told = await Promise.all(outcomes);
  t.equal(most, 4);
  t.equal(told.filter((outcome) => outcome === 'done').length, 36);
  t.equal(told.filter((outcome) => outcome === 'too-many-requests').length, 14);
  t.equal(await budget.run(EDGE, 1, () => Promise.resolve('free again')), 'free again');
  await t.rejects(
    budget.run(EDGE, 1, () => Promise.reject(new Error('failed'))),
    /failed/,
  );
  t.equal(await budget.run(EDGE, 1, () => Promise.resolve('a failure gives its turn back')).then(() => true), true);
});

t.test('accounts that are out of reach refuse, and are asked again', async (t) => {
  const inner = accountsInMemory();
  let isDown = true;
  const { budget } = budgetOf(LIMITS, {
    draw: (spiffeId, request) =>
      isDown ? Promise.reject(new KeydError('database-unavailable')) : inner.draw(spiffeId, request),
  });
  const runs = await Promise.allSettled(Array.from({ length: 3 }, () => budget.run(EDGE, 1, () => Promise.resolve())));
  for (const run of runs) t.match(run, { status: 'rejected', reason: { code: 'database-unavailable' } });
  isDown = false;
  t.equal(await passed(budget, 1, 1), 1);
});
