import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t, { type Test } from 'tap';
import { z } from 'zod';

const Context = z.object({
  credentials: z.object({
    access_key_id: z.string(),
    secret_access_key: z.string(),
    token: z.string().optional(),
  }),
  expiration_in_seconds: z.number(),
  normalize: z.boolean(),
  region: z.string(),
  service: z.string(),
  sign_body: z.boolean(),
  timestamp: z.string(),
  omit_session_token: z.boolean().optional(),
});

export interface WireRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** One case of the public suite. Its files are read on demand. */
export interface Vector {
  readonly name: string;
  readonly context: z.infer<typeof Context>;
  readonly has: (name: string) => boolean;
  readonly file: (name: string) => string;
}

/** The parts of the public suite: one an algorithm. */
export type Suite = 'v4' | 'v4a';

/** A test a case of the suite; one that is skipped loudly where the suite is not on this machine. */
export function eachVector(suite: Suite, check: (t: Test, vector: Vector) => Promise<void>): void {
  const vectors = readVectors(suite);
  const name = `public signing vectors, ${suite}`;
  if (vectors.length === 0) {
    t.test(name, { skip: `NO VECTORS at ${vectorFolder(suite)}: set SIGV4_VECTORS to their folder` }, () => undefined);
    return;
  }
  t.test(name, async (t) => {
    for (const vector of vectors) await t.test(vector.name, (t) => check(t, vector));
  });
}

export function vectorFolder(suite: Suite): string {
  return resolve(process.env['SIGV4_VECTORS'] ?? '../shared/vectors/aws-signing-test-suite', suite);
}

export function readVectors(suite: Suite): readonly Vector[] {
  const folder = vectorFolder(suite);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((name) => ({
    name,
    context: Context.parse(JSON.parse(readFileSync(join(folder, name, 'context.json'), 'utf8'))),
    has: (file) => existsSync(join(folder, name, file)),
    file: (file) => readFileSync(join(folder, name, file), 'utf8').replace(/\n+$/, (end) => end.slice(1)),
  }));
}

/** Reads a request as the suite writes it. A line that starts with blanks continues the value before it (obs-fold). */
export function parseWireRequest(text: string): WireRequest {
  const [head = '', ...bodyParts] = text.split('\n\n');
  const [requestLine = '', ...lines] = head
    .replace(/\n$/, '')
    .replace(/\n(?=[ \t])/g, ' ')
    .split('\n');
  const [, method = '', rawTarget = ''] = /^([A-Z]+) (.*) HTTP\/1\.1$/.exec(requestLine) ?? [];
  return {
    method,
    // One case writes a space into the target, which no HTTP message can carry; a client sends it as %20.
    target: rawTarget.replaceAll(' ', '%20'),
    headers: lines
      .filter((line) => line !== '')
      .map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon), line.slice(colon + 1)] as const;
      }),
    body: bodyParts.join('\n\n'),
  };
}
