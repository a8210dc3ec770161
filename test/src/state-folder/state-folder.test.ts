import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { configuration as deputyConfiguration, startDeputyKeyd } from '@sigv4-keyd/deputy-keyd';
import { configuration as regionConfiguration, startRegionKeyd } from '@sigv4-keyd/region-keyd';
import { createLogger, readConfiguration } from '@sigv4-keyd/service-skeleton';
import t from 'tap';
import { startSigner } from '../custody/signer-under-test.js';
import { environmentOf } from '../edge-verifier/edge-under-test.js';
import { TestAuthority } from '../support/certificates.js';
import { freePort } from '../support/free-port.js';
import { withNodeOptions } from '../support/own-node-options.js';
import { newStateFolder } from '../support/state-folder.js';
import { TestFeed } from '../support/test-feed.js';
import { tierSettings } from '../support/tier-settings.js';
import { mainOf, serviceProcess, until } from '../support/victim.js';
import { VirtualClock } from '../support/virtual-clock.js';

t.setTimeout(120_000);

const socketsIn = (folder: string): readonly string[] => readdirSync(folder).filter((name) => name.endsWith('.sock'));

t.test('a state folder has one process; that one killed, the next one has it', async (t) => {
  const authority = await TestAuthority.create(newStateFolder(t));
  const clock = new VirtualClock(Date.now());
  const feed = await TestFeed.create(clock);
  const stateFolder = newStateFolder(t);
  const health = `127.0.0.1:${await freePort()}`;
  const identity = { role: 'edge', region: 'eu-west-1', service: 's3', name: 'e1' } as const;
  const env = {
    ...environmentOf(newStateFolder(t)),
    ...tierSettings(await authority.filesOf(identity), feed.jwks, stateFolder),
    KEYD_HEALTH_LISTEN: health,
  };
  const edge = serviceProcess(t, 'edge-verifier', env);
  const lives = (): Promise<boolean> =>
    fetch(`http://${health}/status`).then(
      ({ ok }) => ok,
      () => false,
    );
  const pid = edge.start().pid ?? 0;
  await until(lives);

  const [command, ...args] = withNodeOptions('', [process.execPath, mainOf('edge-verifier')]);
  const second = spawn(command, args, {
    env: { PATH: process.env['PATH'], ...env, KEYD_HEALTH_LISTEN: '127.0.0.1:0' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let told = '';
  second.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
  t.teardown(() => second.kill('SIGKILL'));
  await once(second, 'close');
  t.equal(second.exitCode, 78);
  t.match(
    told,
    new RegExp(`^edge-verifier: KEYD_STATE_FOLDER: ${stateFolder}: a service that runs as process ${pid} has`),
  );
  t.match(told, /give this one a folder of its own\n$/, 'and what to do');

  const context = { clock, log: createLogger({ service: 'test', level: 'silent' }) };
  const below = async (role: 'region' | 'deputy'): Promise<Record<string, string>> => ({
    ...tierSettings(
      await authority.filesOf(role === 'region' ? { role, region: 'eu-west-1', name: 'r1' } : { role, name: 'd1' }),
      feed.jwks,
      stateFolder,
    ),
    KEYD_MASTERS: 'https://127.0.0.1:1',
    KEYD_LISTEN: '127.0.0.1:0',
  });
  const isRefused = (start: Promise<unknown>): Promise<unknown> =>
    t.rejects(start, {
      name: 'StartError',
      exitCode: 78,
      message: new RegExp(`${stateFolder}: .*process ${pid} has it`),
    });
  await isRefused(startRegionKeyd(readConfiguration(regionConfiguration, await below('region')), context));
  await isRefused(startDeputyKeyd(readConfiguration(deputyConfiguration, await below('deputy')), context));
  await isRefused(startSigner(t, { authority, stateFolder }));
  t.ok(await lives(), 'whoever has it goes on');

  await edge.kill();
  t.equal(socketsIn(stateFolder).length, 1, 'it is left as it was');
  edge.start();
  await until(lives);
  t.equal(socketsIn(stateFolder).length, 1, 'what the dead one left is gone');
  await edge.stop();
  t.strictSame(socketsIn(stateFolder), []);
});
