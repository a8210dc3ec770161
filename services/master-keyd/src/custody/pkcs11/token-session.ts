import { spawn, type ChildProcess } from 'node:child_process';
import { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Cancel, Clock } from '@sigv4-keyd/hop-protocol';
import { TokenFailure } from '@sigv4-keyd/pkcs11-custody';
import { SealBroken } from '../custody.js';
import { FrameReader, frameOf, type Frame } from './frames.js';
import { answer, type Call, type KeyIds, type OpenRequest } from './messages.js';

/** A token that says nothing for so long is taken for gone, milliseconds: at least one of its calls does not end. */
const SILENCE_MS = 15_000;

export interface TokenSessionOptions extends Omit<OpenRequest, 'do'> {
  /** For the module of the token, which has settings there. */
  readonly env: NodeJS.ProcessEnv;
  /** Rings in real time. */
  readonly timer: Clock;
}

interface Waiting<Result> {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
}

export interface StartedSession {
  readonly session: TokenSession;
  readonly keyIds: KeyIds;
}

/** A process with one session. What is asked of it is done in turn. */
export class TokenSession {
  readonly #child: ChildProcess;
  readonly #pipe: Duplex;
  readonly #timer: Clock;
  readonly #waiting = new Map<number, Waiting<Buffer>>();
  readonly #ended: Promise<unknown>;
  readonly #reader = new FrameReader();
  #opening: Waiting<KeyIds> | undefined;
  #nextId = 1;
  #alarm: Cancel | undefined;
  #failure: TokenFailure | undefined;
  /** Called once, when the session is no more. */
  onLost: (failure: TokenFailure) => void = () => undefined;

  private constructor(env: NodeJS.ProcessEnv, timer: Clock) {
    this.#timer = timer;
    const main = fileURLToPath(new URL('session-main.js', import.meta.url));
    // The module may print what it likes: to where the master prints what is no log.
    this.#child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
    const pipe = this.#child.stdio[3];
    if (!(pipe instanceof Duplex)) throw new Error('a process that was given a pipe has one');
    this.#pipe = pipe;
    this.#ended = new Promise((ended) => this.#child.once('close', ended).once('error', ended));
    this.#child.on('error', ({ message }) => this.#lose(gone(`no process can be started for it: ${message}`)));
    // Not at 'exit': what it said last is still to be read then.
    this.#child.on('close', (code, signal) =>
      this.#lose(gone(`its process has ended (${signal ?? code ?? 'unknown'})`)),
    );
    pipe.on('error', () => undefined);
    pipe.on('data', (chunk: Buffer) => this.#hear(chunk));
  }

  /** @throws TokenFailure */
  static async start({ module, token, pin, keys, env, timer }: TokenSessionOptions): Promise<StartedSession> {
    const session = new TokenSession(env, timer);
    const keyIds = await new Promise<KeyIds>((resolve, reject) => {
      session.#opening = { resolve, reject };
      session.#say({ do: 'open', module, token, pin, keys });
    });
    return { session, keyIds };
  }

  get pending(): number {
    return this.#waiting.size;
  }

  /** Rejects with SealBroken where this one secret does not open, with TokenFailure when the session is no more. */
  call(asked: Call, body: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve, reject });
      if (this.#failure) this.#settle(id)?.reject(this.#failure);
      else this.#say({ ...asked, id }, body);
    });
  }

  async close(): Promise<void> {
    this.#lose(gone('the session was closed'));
    await this.#ended;
  }

  #say(header: object, body?: Buffer): void {
    const bytes = frameOf(header, body);
    this.#pipe.write(bytes, () => bytes.fill(0));
    this.#alarm ??= this.#timer.after(SILENCE_MS, () => this.#lose(gone('it does not answer')));
  }

  #hear(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.read(chunk)) this.#take(frame);
    } catch (error) {
      this.#lose(gone(`what answers for it is not understood: ${error instanceof Error ? error.name : 'unknown'}`));
    }
    this.#alarm?.();
    const isIdle = this.#waiting.size === 0 && !this.#opening;
    this.#alarm = isIdle ? undefined : this.#timer.after(SILENCE_MS, () => this.#lose(gone('it does not answer')));
  }

  #take({ header, body }: Frame): void {
    const heard = answer.parse(header);
    switch (heard.said) {
      case 'opened':
        this.#opening?.resolve(heard.keyIds);
        this.#opening = undefined;
        break;
      case 'failed':
        this.#lose(new TokenFailure(heard.reason, heard.message));
        break;
      case 'done':
        this.#settle(heard.id)?.resolve(body);
        break;
      case 'broken':
        this.#settle(heard.id)?.reject(new SealBroken(heard.message));
        break;
    }
  }

  #settle(id: number): Waiting<Buffer> | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  /** A process that hangs in a call hears nothing: it is killed. */
  #lose(failure: TokenFailure): void {
    if (this.#failure) return;
    this.#failure = failure;
    this.#alarm?.();
    this.#child.kill('SIGKILL');
    this.#pipe.destroy();
    const waiting = [...this.#waiting.values(), ...(this.#opening ? [this.#opening] : [])];
    this.#waiting.clear();
    this.#opening = undefined;
    for (const { reject } of waiting) reject(failure);
    this.onLost(failure);
  }
}

function gone(problem: string): TokenFailure {
  return new TokenFailure('gone', problem);
}
