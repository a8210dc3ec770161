import { Readable } from 'node:stream';
import {
  DAY_STREAM_TYPE,
  dayStreamFrames,
  KeydError,
  SEALED_KEYS_TYPE,
  sealingFor,
  spiffeIdOf,
  type Cancel,
  type Clock,
  type DayStream,
  type Hop,
} from '@sigv4-keyd/hop-protocol';
import type { FastifyReply } from 'fastify';
import type { MtlsApp } from './mtls-app.js';

/** A peer pulls a day at a time; another few may linger on connections that broke. */
const MOST_OF_ONE_PEER = 4;
/** Whoever takes nothing for so long is cut off: it holds memory here, and can go on where it was. */
const STALLED_AFTER_MS = 30_000;

/** The days' streams of keys that one listener is sending. */
export class DayStreams {
  readonly #clock: Clock;
  readonly #ofPeer = new Map<string, number>();
  #isClosing = false;

  constructor(app: MtlsApp, clock: Clock) {
    this.#clock = clock;
    app.addHook('preClose', (done) => {
      this.#isClosing = true;
      done();
    });
  }

  /**
   * Answers with a stream, as fast as the peer takes it. What goes wrong before the first page is an answer like any
   * other; later the stream is cut, and the peer goes on after the last page that it has.
   */
  async send(
    reply: FastifyReply,
    hop: Pick<Hop<never>, 'path' | 'keyBytes'>,
    stream: Omit<DayStream, 'sealing'>,
  ): Promise<FastifyReply> {
    const sealing = sealingFor(reply.request.headers.accept, hop.path);
    const leave = this.#enter(spiffeIdOf(reply.request.peer));
    reply.raw.once('close', leave);
    const pages = stream.pages[Symbol.asyncIterator]();
    const first = await pages.next();
    const frames = dayStreamFrames(hop, { ...stream, sealing, pages: this.#whileOpen(first, pages) });
    const body = Readable.from(this.#unlessStalled(frames, reply), { objectMode: false, highWaterMark: 1 });
    return reply.type(sealing ? SEALED_KEYS_TYPE : DAY_STREAM_TYPE).send(body);
  }

  #enter(peer: string): () => void {
    const others = this.#ofPeer.get(peer) ?? 0;
    if (others >= MOST_OF_ONE_PEER) {
      throw new KeydError('too-many-requests', { detail: `${others} streams of this identity are under way` });
    }
    this.#ofPeer.set(peer, others + 1);
    return () => {
      const left = (this.#ofPeer.get(peer) ?? 1) - 1;
      if (left === 0) this.#ofPeer.delete(peer);
      else this.#ofPeer.set(peer, left);
    };
  }

  async *#whileOpen<Page>(first: IteratorResult<Page, unknown>, pages: AsyncIterator<Page>): AsyncGenerator<Page> {
    try {
      for (let next = first; next.done !== true; next = await pages.next()) {
        yield next.value;
        if (this.#isClosing) throw new KeydError('not-ready');
      }
    } finally {
      await pages.return?.();
    }
  }

  async *#unlessStalled(frames: AsyncIterable<Buffer>, reply: FastifyReply): AsyncGenerator<Buffer> {
    let cancel: Cancel = () => undefined;
    const watch = (): void => {
      cancel = this.#clock.after(STALLED_AFTER_MS, () => {
        reply.log.warn({ event: 'stream-stalled' }, 'a peer stopped reading its stream of keys; the stream was cut');
        reply.raw.destroy();
      });
    };
    reply.raw.once('close', () => cancel());
    for await (const frame of frames) {
      watch();
      yield frame;
      cancel();
    }
    // The last frames may be on their way still.
    watch();
  }
}
