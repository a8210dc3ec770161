import { z } from 'zod';

/** What one end of a link may ask the other, by name. */
export type Calls<Table> = {
  readonly [Name in keyof Table]: { readonly asked: z.ZodType; readonly answered: z.ZodType };
};

/** Answers what is asked. What it rejects with stays on this side: the other one learns that it failed. */
export type Handlers<Served extends Calls<Served>> = {
  readonly [Name in keyof Served]: (
    asked: z.output<Served[Name]['asked']>,
  ) => z.output<Served[Name]['answered']> | Promise<z.output<Served[Name]['answered']>>;
};

/** The channel between a process and one that it started: memory of the kernel, and nobody else's. */
export interface Channel {
  send(message: object): void;
  onMessage(listener: (message: unknown) => void): void;
}

export interface LinkOptions<Served extends Calls<Served>, Asked extends Calls<Asked>> {
  readonly channel: Channel;
  readonly served: Served;
  readonly handlers: Handlers<Served>;
  readonly asked: Asked;
  /** Told when the other end says what it may not: nothing of it can be believed any more. */
  readonly onBroken: (problem: string) => void;
}

const message = z.union([
  z.strictObject({ ask: z.number().int(), name: z.string(), body: z.unknown() }),
  z.strictObject({ answer: z.number().int(), body: z.unknown() }),
  z.strictObject({ failed: z.number().int() }),
]);

interface Waiting {
  readonly take: (body: unknown) => void;
  readonly fail: (error: Error) => void;
}

/** The other end could not answer, or is gone. */
export class LinkFailure extends Error {
  override readonly name = 'LinkFailure';
}

/** Questions and answers between two processes of one edge. Every message is checked by whoever gets it. */
export class Link<Served extends Calls<Served>, Asked extends Calls<Asked>> {
  readonly #options: LinkOptions<Served, Asked>;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #isClosed = false;

  constructor(options: LinkOptions<Served, Asked>) {
    this.#options = options;
    options.channel.onMessage((received) => this.#receive(received));
  }

  /** Rejects with LinkFailure. */
  call<Name extends keyof Asked & string>(
    name: Name,
    body: z.input<Asked[Name]['asked']>,
  ): Promise<z.output<Asked[Name]['answered']>> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(new LinkFailure(`${name}: the other process is gone`));
        return;
      }
      const id = (this.#lastId += 1);
      const take = (answered: unknown): void => {
        const parsed = z.safeParse<Asked[Name]['answered']>(this.#options.asked[name].answered, answered);
        if (parsed.success) resolve(parsed.data);
        else this.#break(`an answer to ${name} that is none`);
      };
      this.#waiting.set(id, { take, fail: reject });
      this.#options.channel.send({ ask: id, name, body });
    });
  }

  /** Nothing more comes: whoever waits is told so. */
  close(): void {
    this.#isClosed = true;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { fail } of waiting) fail(new LinkFailure('the other process is gone'));
  }

  #receive(received: unknown): void {
    const parsed = message.safeParse(received);
    if (!parsed.success) {
      this.#break('a message that is none');
    } else if ('ask' in parsed.data) {
      const { ask, name, body } = parsed.data;
      if (this.#isServed(name)) this.#answer(ask, name, this.#options.served[name], body);
      else this.#break('a question that nobody answers');
    } else if ('answer' in parsed.data) {
      this.#take(parsed.data.answer)?.take(parsed.data.body);
    } else {
      this.#take(parsed.data.failed)?.fail(new LinkFailure('the other process could not do it'));
    }
  }

  #isServed(name: string): name is keyof Served & string {
    return Object.hasOwn(this.#options.served, name);
  }

  #answer<Name extends keyof Served & string>(id: number, name: Name, call: Served[Name], body: unknown): void {
    const { handlers, channel } = this.#options;
    const asked = z.safeParse<Served[Name]['asked']>(call.asked, body);
    if (!asked.success) {
      this.#break(`a question (${name}) of another form`);
      return;
    }
    // What is answered first goes first: sealed keys are opened in the order in which they were sealed.
    Promise.resolve(asked.data)
      .then((data) => handlers[name](data))
      .then(
        (answered) => channel.send({ answer: id, body: answered }),
        () => channel.send({ failed: id }),
      );
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (!waiting) this.#break('an answer to nothing that was asked');
    return waiting;
  }

  #break(problem: string): void {
    if (!this.#isClosed) this.#options.onBroken(problem);
  }
}
