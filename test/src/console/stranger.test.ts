import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import aws4 from 'aws4';
import t, { type Test } from 'tap';
import { runReset, StackProcess } from '../local-stack/stack-process.js';
import { browser, complaintsOf, PATIENCE_MS, skip } from './console-in-browser.js';

// Below the range from which the system gives ports of its own accord; apart from those of the local stack's own test.
const PORT_BASE = 10_000 + (process.pid % 90) * 100;
const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));

t.setTimeout(170_000);

/** A section of what `npm start` printed: the lines below a title that begins so. */
function section(printed: string, title: string): readonly string[] {
  const [, lines = ''] = new RegExp(`^${title}.*\n((?: {2}.*\n)+)`, 'm').exec(printed) ?? [];
  return lines.trim().split(/\n */);
}

interface Signed {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly edge: string;
  readonly region: string;
}

/** What the edge says to a request that the access key has signed just now: `verified`, or the reason. */
async function answerTo({ accessKeyId, secretAccessKey, edge, region }: Signed): Promise<string> {
  const { host } = new URL(edge);
  const path = '/bucket/hello.txt';
  const { headers } = aws4.sign({ host, path, service: 's3', region }, { accessKeyId, secretAccessKey });
  const sent = request(edge, { path, agent: false, headers: { ...headers } });
  sent.end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  answer.resume();
  return answer.statusCode === 200 ? 'verified' : String(answer.headers['x-keyd-reason']);
}

/** Runs a line that was printed for a person to paste, in the folder of the repository. */
function pasted(t: Test, line: string): StackProcess {
  const words = line.split(' ');
  const isSetting = (word: string): boolean => /^[A-Z_]+=/.test(word);
  const settings = words.filter(isSetting).map((word) => word.split('='));
  const [npm, ...args] = words.filter((word) => !isSetting(word));
  t.equal(npm, 'npm');
  const env = Object.fromEntries(settings.map(([name = '', value = '']) => [name, value]));
  const home = process.env['HOME'] ?? '/';
  const running = new StackProcess(t, ['npm', '--prefix', REPOSITORY, ...args], { HOME: home, ...env });
  t.teardown(() => running.interrupt());
  return running;
}

t.test('from the README to a revoked region in the browser', { skip }, async (t) => {
  const readme = await readFile(join(REPOSITORY, 'README.md'), 'utf8');
  t.match(readme, /^npm start /m);
  const dir = join(t.testdir(), 'state');
  t.teardown(() => runReset(t, ['--dir', dir]));
  const stack = StackProcess.start(t, ['--dir', dir, '--port-base', String(PORT_BASE)]);
  await stack.says(/Ctrl-C stops everything/);
  const [idLine = '', secretLine = ''] = section(stack.out, 'Access key');
  const accessKey = {
    accessKeyId: idLine.replace(/^id +/, ''),
    secretAccessKey: secretLine.replace(/^secret +/, ''),
  };
  const [american = '', , european = ''] = section(stack.out, 'Edges').map((line) => line.split(' ')[0]);
  const america = { ...accessKey, edge: american, region: 'us-east-1' };
  const europe = { ...accessKey, edge: european, region: 'eu-west-1' };
  t.same([await answerTo(america), await answerTo(europe)], ['verified', 'verified']);

  const [line = ''] = section(stack.out, 'Console');
  const command = 'npm run --silent keydctl -- console';
  t.ok(line.endsWith(command), line);
  t.ok(stack.out.trimEnd().split('\n\n').at(-2)?.includes(command), 'it is the last line to paste');
  t.ok(readme.includes(command));
  const [link] = await pasted(t, line).says(/http:\/\/127\S+/);

  const page = await (await (await browser()).newContext()).newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints = complaintsOf(page);
  await page.goto(link);
  const cell = page.locator('[data-cell^="us-east-1/"]').nth(1);
  await cell.locator('button').click();
  await page.fill('#incident-id', 'INC-7');
  await page.fill('#reason', 'edge host broken into');
  await page.click('text="Show what it would hit"');
  await page.waitForSelector('td.hit');
  t.same([await answerTo(america), await answerTo(europe)], ['verified', 'verified'], 'nothing is revoked yet');
  await page.fill('#confirm-word', 'INC-7');
  await page.click('text="Revoke INC-7"');
  await page.waitForSelector('#revocations li.done:has-text("INC-7"):has-text("In force at 2 of 2 edges")');
  t.match(await cell.getAttribute('class'), /revoked-all/);
  t.same([await answerTo(america), await answerTo(europe)], ['scope-revoked', 'verified']);
  t.same(complaints, []);
});
