import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { fetch } from 'undici';
import { freePort } from '../support/free-port.js';
import { until } from '../support/victim.js';

// The servers and the client of docs/integrate.md as they stand there, each a program; only host and port are replaced.

const PAGE = readFileSync('docs/integrate.md', 'utf8');
const SECRET = 'made-up-secret-of-this-test';

function programWith(...words: readonly string[]): string {
  const programs = [...PAGE.matchAll(/```js\n([\s\S]*?)```/g)].map(([, program = '']) => program);
  const found = programs.filter((program) => words.every((word) => program.includes(word)));
  if (found.length !== 1) throw new Error(`${found.length} programs of docs/integrate.md with ${words.join(', ')}`);
  return found[0] ?? '';
}

function run(t: Test, program: string, env: Readonly<Record<string, string>>) {
  // Below the folder of the tests, from which the packages are found as from any folder that has them installed.
  const child = spawn(process.execPath, ['--input-type=module', '-'], { cwd: 'test', env: { ...process.env, ...env } });
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  child.stdin.end(program);
  return child;
}

async function serving(t: Test, program: string): Promise<string> {
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const code = program
    .replace('api.example.com', address)
    .replace('port: 8080', `port: ${port}`)
    .replace('listen(8080)', `listen(${port})`);
  const child = run(t, code, { API_SECRET: SECRET });
  const errors = text(child.stderr);
  let hasEnded = false;
  child.once('exit', () => (hasEnded = true));
  await until(async () => {
    if (hasEnded) throw new Error(await errors);
    return fetch(`http://${address}/`).then(
      (answer) => answer.body?.cancel().then(() => true) ?? true,
      () => false,
    );
  });
  return address;
}

async function asked(t: Test, address: string, secret = SECRET): Promise<string> {
  const program = programWith('signer.fetch').replace('https://api.example.com', `http://${address}`);
  const child = run(t, program, { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: secret });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return out + err;
}

const SERVERS = {
  Fastify: [['Fastify()', 'staticSecrets'], /^200 \{"orderedBy":"AKIAEXAMPLE","order":\{"order":7\}\}\n$/],
  Express: [['express()'], /^200 \{"orderedBy":"AKIAEXAMPLE","order":\{"order":7\}\}\n$/],
  'node:http': [['createServer'], /^200 hello AKIAEXAMPLE\n$/],
} as const;

for (const [name, [words, answer]] of Object.entries(SERVERS)) {
  t.test(`${name}: what the client signs is served, and nothing else`, async (t) => {
    const address = await serving(t, programWith(...words));
    t.match(await asked(t, address), answer);
    t.match(await asked(t, address, 'another-made-up-secret'), /^403 .*InvalidSignatureException/);
    const unsigned = await fetch(`http://${address}/orders`, { method: 'POST' });
    t.equal(unsigned.status, 403);
    await unsigned.text();
  });
}
