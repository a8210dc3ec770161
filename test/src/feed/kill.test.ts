import { randomBytes } from 'node:crypto';
import { createMtlsAgent } from '@sigv4-keyd/fastify-mtls';
import { PeerClient } from '@sigv4-keyd/hop-protocol';
import { FeedState } from '@sigv4-keyd/revocation';
import t from 'tap';
import { freePort } from '../support/free-port.js';
import { addAccessKey, change, feed, presentFeed } from '../master-keyd/feed-clients.js';
import { environment, sharedFeedKeys } from '../master-keyd/master-under-test.js';
import { RULE } from '../revocation/publisher.js';
import { TestAuthority } from '../support/certificates.js';
import { freshDatabase, runSql } from '../support/postgres.js';
import { newStateFolder } from '../support/state-folder.js';
import { serviceProcess, until } from '../support/victim.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

t.setTimeout(170_000);

t.test(
  'kill -9 of a master in the middle of changes: what was answered is in the feed, and nothing is half',
  async (t) => {
    const authority = await TestAuthority.create(newStateFolder(t));
    const database = await freshDatabase(t);
    const custodyKey = randomBytes(32);
    const credentials = await authority.credentials({ role: 'operator', name: 'alice' });
    const dispatcher = createMtlsAgent({
      credentials,
      timer: STANDING_TIMER,
      acceptsServer: ({ segments }) => segments[0] === 'master',
    });
    t.teardown(() => dispatcher.close());
    const masters = [];
    for (const name of ['m1', 'm2']) {
      const port = await freePort();
      const env = await environment(authority, { database, custodyKey, name });
      const victim = serviceProcess(t, 'master-keyd', { ...env, KEYD_LISTEN: `127.0.0.1:${port}` });
      victim.start();
      const operator = new PeerClient({
        urls: [new URL(`https://127.0.0.1:${port}`)],
        dispatcher,
        timer: STANDING_TIMER,
      });
      await until(() =>
        feed(operator).then(
          (document) => document !== undefined,
          () => false,
        ),
      );
      masters.push({ victim, operator });
    }
    const [first, second] = masters;
    if (!first || !second) throw new Error('two masters were started');
    const ids = Array.from({ length: 24 }, (_, index) => `AKIAKILL${index}`);
    for (const id of ids) await addAccessKey(second.operator, id);

    const acknowledged = new Set<string>();
    let failed = 0;
    for (const [round, master] of [first, second, first].entries()) {
      let killing: Promise<void> | undefined;
      const outcomes = await Promise.allSettled(
        ids.slice(round * 8, round * 8 + 8).map(async (id) => {
          await change(master.operator, [id], { kind: 'disable' });
          acknowledged.add(id);
          killing ??= master.victim.kill();
        }),
      );
      await killing;
      failed += outcomes.filter(({ status }) => status === 'rejected').length;
      master.victim.start();
      await until(() =>
        feed(master.operator).then(
          (document) => document !== undefined,
          () => false,
        ),
      );
    }
    t.ok(acknowledged.size >= 3 && failed > 0, `${acknowledged.size} were acknowledged, ${failed} were not`);

    const { pinned } = await sharedFeedKeys();
    for (const { operator } of masters) {
      const state = FeedState.empty(pinned, RULE);
      const isWhole = async (): Promise<boolean> => {
        await state.accept(await presentFeed(operator), Date.now());
        return [...acknowledged].every((id) => state.accessKeys.get(id)?.status === 'disabled');
      };
      // A master that was just started may serve the feed of a beat ago.
      await until(isWhole);
      const rows = await runSql<{ id: string; status: string; changed_in: string }>(
        database,
        'SELECT id, status, changed_in FROM access_key',
      );
      for (const { id, status, changed_in: changedIn } of rows) {
        t.match(state.accessKeys.get(id), { status, change: Number(changedIn) }, `${id}: row and feed say the same`);
      }
    }
  },
);
