import { runKeydctl } from '@sigv4-keyd/keydctl';
import { PassThrough, Writable } from 'node:stream';

export interface Call {
  readonly env?: Readonly<Record<string, string>>;
  /** What is piped in, or typed by a person when `isTerminal`. */
  readonly input?: string | Buffer;
  readonly isTerminal?: boolean;
  readonly now?: number;
  /** Ends a command that runs until it is told to end. */
  readonly interruption?: AbortSignal;
  /** Told what it prints, as it prints it. */
  readonly onOutput?: (text: string) => void;
  /** keydctl of another release. */
  readonly run?: typeof runKeydctl;
}

export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs one command line inside this process. */
export async function keydctl(args: readonly string[], call: Call = {}): Promise<Result> {
  const [output, errorOutput] = [new Collected(call.onOutput), new Collected(call.onOutput)];
  const input = new PassThrough();
  input.end(call.input ?? '');
  const isTerminal = call.isTerminal ?? false;
  const code = await (call.run ?? runKeydctl)(args, {
    env: call.env ?? {},
    input,
    output,
    errorOutput,
    isTerminal: { input: isTerminal, output: isTerminal, errorOutput: isTerminal },
    now: () => call.now ?? Date.now(),
    interruption: () => call.interruption ?? new AbortController().signal,
  });
  return { code, out: output.text, err: errorOutput.text };
}

/** The one JSON document that `--json` printed. */
export async function keydctlJson(args: readonly string[], call: Call = {}): Promise<Record<string, unknown>> {
  const { code, out, err } = await keydctl([...args, '--json'], call);
  if (code !== 0) throw new Error(`keydctl ${args.join(' ')} ended with ${code}: ${err}`);
  return JSON.parse(out) as Record<string, unknown>;
}

class Collected extends Writable {
  text = '';
  readonly #onText: ((text: string) => void) | undefined;

  constructor(onText?: (text: string) => void) {
    super();
    this.#onText = onText;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    this.#onText?.(chunk.toString());
    done();
  }
}
