import { setImmediate as otherWork } from 'node:timers/promises';
import type { Hop } from '../hops.js';
import type { AnswerScope } from '../key-answer.js';
import type { Sealing } from '../sealed-keys/agreement.js';
import { PageSealer } from '../sealed-keys/page-seal.js';
import { SealedPageWriter } from '../sealed-keys/sealed-page.js';
import type { DayStreamRequest } from './day-stream-api.js';
import { encodeFrame, MOST_FRAME_BYTES } from './frame.js';
import { KeyPageWriter, type PageWriter, type StreamedKey } from './key-page.js';

export interface DayStream {
  readonly request: DayStreamRequest;
  /** Repeated in the head, so that the asker sees that these are its own keys. */
  readonly scope: AnswerScope;
  /** What seals the keys; absent for an asker of an earlier release. */
  readonly sealing?: Sealing | undefined;
  /** In ascending order of their ids, recorded already. The keys are overwritten when they are in a frame. */
  readonly pages: AsyncIterable<Iterable<StreamedKey>>;
}

/** Keys that are written before other work has its turn: a millisecond or two. */
const SLICE = 1_000;

/** The frames of a day's stream. A page is asked for only once the frames of the one before were taken. */
export async function* dayStreamFrames(
  { keyBytes }: Pick<Hop<never>, 'keyBytes'>,
  { request, scope, sealing, pages }: DayStream,
): AsyncGenerator<Buffer, void, undefined> {
  const head = { ...request, ...scope, ...(sealing && { sealedBy: sealing.sender }) };
  yield encodeFrame('head', Buffer.from(JSON.stringify(head)));
  const writer = sealing ? new SealedPageWriter(keyBytes, new PageSealer(sealing.key)) : new KeyPageWriter(keyBytes);
  let count = 0;
  for await (const page of pages) {
    for (const key of page) {
      if (count % SLICE === 0) await otherWork();
      count += 1;
      if (!writer.add(key)) {
        yield* taken(writer);
        writer.add(key);
      }
      key.key.fill(0);
    }
    await otherWork();
    yield* taken(writer);
  }
  const end = Buffer.alloc(MOST_FRAME_BYTES.end);
  end.writeUIntBE(count, 0, end.length);
  yield encodeFrame('end', end);
}

function* taken(writer: PageWriter): Generator<Buffer, void, undefined> {
  const page = writer.take();
  if (page) yield encodeFrame(writer.kind, page);
}
