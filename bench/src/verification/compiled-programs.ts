import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ACCESS_KEY, keyInHex, REGION, SESSION_TOKEN, type MeasuredRequest } from './measured-requests.js';
import { startVerifying, type VerifyingProgram } from './verifying-program.js';

/** Verifiers that are not JavaScript: what cannot be beaten, and the peer that other gateways are built on. */
export const COMPILED = ['C floor', 'aws-sdk-go-v2'] as const;
export type CompiledName = (typeof COMPILED)[number];

interface Recipe {
  readonly source: string;
  readonly compile: (source: string, program: string) => void;
  readonly start: (program: string, request: MeasuredRequest) => VerifyingProgram;
  /** What to install where it does not compile: Debian's packages. */
  readonly packages: string;
}

const RECIPES: Readonly<Record<CompiledName, Recipe>> = {
  'C floor': {
    source: 'floor.c',
    compile(source, program) {
      execFileSync('cc', ['-O3', '-march=native', '-o', program, source, '-lcrypto'], { stdio: 'pipe' });
    },
    start: (program, { head, key }) => startVerifying(program, [keyInHex(key), rawHeadOf(head)]),
    packages: 'gcc and libssl-dev',
  },
  'aws-sdk-go-v2': {
    source: 'peers/aws-sdk-go-v2.go',
    compile(source, program) {
      // Debian's packages are a GOPATH; nothing is fetched.
      const env = { ...process.env, GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '' };
      execFileSync('go', ['build', '-o', program, source], { stdio: 'pipe', env });
    },
    start: (program, request) => startVerifying(program, [], requestsInJson(request)),
    packages: 'golang-go and golang-github-aws-aws-sdk-go-v2-dev',
  },
};

/** The programs that can be compiled here. */
export class CompiledPrograms {
  readonly #folder = mkdtempSync(join(tmpdir(), 'keyd-verifiers-'));
  readonly #compiled: readonly CompiledName[];

  constructor() {
    this.#compiled = COMPILED.filter((name) => {
      const { source, compile } = RECIPES[name];
      try {
        compile(fileURLToPath(new URL(`../../src/verification/${source}`, import.meta.url)), this.#programOf(name));
        return true;
      } catch {
        return false;
      }
    });
  }

  /** Why there is no figure of a program; undefined: there is one. */
  lacks(name: CompiledName): string | undefined {
    return this.#compiled.includes(name) ? undefined : `does not compile here: install ${RECIPES[name].packages}`;
  }

  start(request: MeasuredRequest): ReadonlyMap<CompiledName, VerifyingProgram> {
    return new Map(this.#compiled.map((name) => [name, RECIPES[name].start(this.#programOf(name), request)]));
  }

  clean(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #programOf(name: CompiledName): string {
    return join(this.#folder, name.replaceAll(' ', '-'));
  }
}

function rawHeadOf({ method, target, rawHeaders }: MeasuredRequest['head']): string {
  const lines = [`${method} ${target} HTTP/1.1`];
  for (let at = 0; at < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at] ?? ''}: ${rawHeaders[at + 1] ?? ''}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function requestsInJson({ kind, service, othersLikeIt }: MeasuredRequest): string {
  const requests = othersLikeIt.map(({ method, target, rawHeaders }) => {
    const headers: string[][] = [];
    for (let at = 0; at < rawHeaders.length; at += 2) headers.push(rawHeaders.slice(at, at + 2));
    return { method, target, headers };
  });
  const presigned = kind === 'presigned';
  return JSON.stringify({ region: REGION, service, ...ACCESS_KEY, sessionToken: SESSION_TOKEN, presigned, requests });
}
