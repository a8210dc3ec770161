import t, { type Test } from 'tap';
import { z } from 'zod';
import { imageMissing, stackMissing } from './compose-program.js';
import { ComposeStack, outcome, PORTS, until } from './compose-stack.js';
import { render, VARIANTS } from './stack-files.js';

/** The files beside docker-compose.yml, each really brought up. Without a Docker engine all is skipped, loudly. */

const S3 = { port: PORTS.PORT_US_EAST_1_S3, region: 'us-east-1', service: 's3' };
const SECOND_S3 = { ...S3, port: PORTS.PORT_US_EAST_1_S3_2 };

const custody = z.object({ sealsWith: z.string() });

/** Run in a container: its /status, on one line. */
const STATUS = `fetch('http://127.0.0.1:8081/status').then(async (answer) => console.log(await answer.text()))`;

const missing = stackMissing();

// Building the images takes minutes.
t.setTimeout(3_600_000);
t.jobs = 1;

brought('replicas', async (t, stack) => {
  const [held, fresh] = [await stack.newAccessKey(), await stack.newAccessKey()];
  t.equal(await outcome(S3, held), 'served', 'the first edge');
  t.equal(await outcome(SECOND_S3, held), 'served', 'the second edge');
  await stack.stop('master-keyd', 'region-keyd-us-east-1');
  t.equal(await outcome(S3, fresh), 'served', 'fetched from the other region, which asks the other master');
  await stack.start('master-keyd', 'region-keyd-us-east-1');
  await stack.allHealthy();
  t.match(await stack.keydctl('status', '--json'), '/region/us-east-1/region-2');
});

brought('a signer of its own', async (t, stack) => {
  t.equal(await outcome(S3, await stack.newAccessKey()), 'served');
  const counts: unknown = JSON.parse(await stack.keydctl('custody', 'counts', '--json'));
  t.match(counts, { dates: [{ given: 1, issued: 1 }] }, 'what the signer gave is what was issued');
  t.equal(stack.container('custody-signer').Config.User, '10002:10002', 'not the user of the master');
  t.same(Object.keys(stack.container('custody-signer').NetworkSettings.Networks), [`${stack.project}_signers`]);
  stack.kill('custody-signer');
  await stack.allHealthy();
  const fresh = await stack.newAccessKey();
  await until('served', () => outcome(S3, fresh));
});

brought('an HSM', async (t, stack) => {
  t.equal(await outcome(S3, await stack.newAccessKey()), 'served');
  const { sealsWith } = custody.parse(JSON.parse(await stack.keydctl('custody', 'status', '--json')));
  t.match(stack.logs('make-token'), sealsWith, 'sealed by the key that was made in the token');
  stack.kill('master-keyd');
  await until('served', async () => {
    const fresh = await stack.newAccessKey().catch(() => undefined);
    return fresh ? outcome(S3, fresh) : 'no master yet';
  });
  t.pass('the token is there after a restart');
});

// It is ready once it holds the keys of a day that it was granted.
brought(
  'a deputy',
  async (t, stack) => {
    const [held, fresh] = [await stack.newAccessKey(), await stack.newAccessKey()];
    t.equal(await outcome(S3, held), 'served');
    const today = new Date().toISOString().slice(0, 10);
    await stack.keydctl('deputy', 'grant', 'deputy-1', '--from', today, '--to', today, '--reason', 'a test');
    const holds = z.object({ heldDays: z.array(z.unknown()) });
    await until('held', async () => {
      const status = await stack.exec('deputy-keyd', ['node', '-e', STATUS]);
      return holds.parse(JSON.parse(status)).heldDays.length > 0 ? 'held' : 'not yet';
    });
    await stack.stop('master-keyd');
    await until('served', () => outcome(S3, fresh));
    t.pass('an access key that nobody below had is served without a master');
  },
  { notReady: ['deputy-keyd'] },
);

const { prometheus, grafana } = render(VARIANTS.observability).services;
const notWatched = [prometheus?.image ?? '', grafana?.image ?? ''].map(imageMissing).find((reason) => reason !== false);
brought(
  'observability',
  async (t, stack) => {
    const query = `wget -q -O - 'http://127.0.0.1:9090/api/v1/query?query=sum(up)'`;
    await until('all up', async () =>
      (await stack.exec('prometheus', ['sh', '-c', query])).includes('"4"') ? 'all up' : 'not yet',
    );
    const page = await fetch(`http://127.0.0.1:${PORTS.PORT_GRAFANA}/api/dashboards/uid/sigv4-keyd`);
    t.match(await page.json(), { dashboard: { title: 'sigv4-keyd' } });
  },
  { skip: missing || (notWatched ?? false) },
);

function brought(
  name: keyof typeof VARIANTS,
  check: (t: Test, stack: ComposeStack) => Promise<void>,
  { skip = missing, notReady = [] }: { readonly skip?: string | false; readonly notReady?: readonly string[] } = {},
): void {
  t.test(name, { skip, timeout: 900_000 }, async (t) => check(t, await ComposeStack.up(t, VARIANTS[name], notReady)));
}
