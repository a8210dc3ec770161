import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { stackMissing } from './compose-program.js';
import { ComposeStack, outcome, PORTS, until } from './compose-stack.js';
import { VARIANTS } from './stack-files.js';

/** The lines of docs/restore.md for the Compose stack, run as they stand there. Skipped, loudly, without an engine. */
const S3 = { port: PORTS.PORT_US_EAST_1_S3, region: 'us-east-1', service: 's3' };

/** The lines of the block that the documentation marks with a name. */
function documented(name: string): readonly string[] {
  const block = new RegExp(`<!-- compose: ${name} -->\n+\`\`\`sh\n([^\`]*)\`\`\``).exec(
    readFileSync('docs/restore.md', 'utf8'),
  )?.[1];
  if (block === undefined) throw new Error(`docs/restore.md has no lines for: ${name}`);
  return block.trim().split('\n');
}

// Building the images takes minutes.
t.setTimeout(1_800_000);
t.test('a backup of the Compose stack', { skip: stackMissing(), timeout: 1_700_000 }, async (t) => {
  const folder = t.testdir();
  const stack = await ComposeStack.up(t, VARIANTS['one region']);
  const [kept, disabledSince] = [await stack.newAccessKey(), await stack.newAccessKey()];
  for (const key of [kept, disabledSince]) t.equal(await outcome(S3, key), 'served');
  for (const line of documented('backup')) await stack.line(line, folder);

  await t.test('the database is restored, and what happened since the backup is put back', async (t) => {
    const lost = await stack.newAccessKey();
    await stack.keydctl('access-key', 'disable', disabledSince.accessKeyId);
    await until('access-key-disabled', () => outcome(S3, disabledSince));
    const lines = documented('restore');
    for (const line of lines.slice(0, -1)) await stack.line(line, folder);
    // Until a region has told the master what it has seen there is nothing to resume.
    await until('resumed', async () => {
      try {
        await stack.line(lines.at(-1) ?? '', folder);
        return 'resumed';
      } catch (error) {
        return setTimeout(500, String(error));
      }
    });
    await stack.allHealthy();
    t.equal(await outcome(S3, kept), 'served');
    t.equal(await outcome(S3, disabledSince), 'access-key-disabled', 'though the backup has it enabled');
    t.notMatch(await stack.keydctl('access-key', 'list', '--json'), lost.accessKeyId, 'the backup does not have it');
    const fresh = await stack.newAccessKey();
    t.strictSame(await until('served', () => outcome(S3, fresh)), [], 'the master issues again');
  });

  await t.test('another machine takes over from the two files', async (t) => {
    await stack.destroy();
    for (const line of documented('another machine')) await stack.line(line, folder);
    await stack.allHealthy();
    t.equal(await outcome(S3, kept), 'served', 'the secret was opened again');
  });
});
