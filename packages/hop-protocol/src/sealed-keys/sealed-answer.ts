import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import { z } from 'zod';
import { parseJson } from '../bounded-body.js';
import { encodeFrame, readFrames, WrongStream, type FrameKind } from '../day-stream/frame.js';
import { KeydError } from '../errors.js';
import type { Hop } from '../hops.js';
import { believedAnswer, exportedInto, importedKey, mismatch, type AnswerScope } from '../key-answer.js';
import { ABSENCES, type Absence, type IssuedKey, type KeyAnswer, type KeyRequest } from '../key-source.js';
import { accessKeyId, regionName, scopeDate, serviceName } from '../schemas.js';
import type { Recipient, Sealing } from './agreement.js';
import { PageOpener, PageSealer } from './page-seal.js';
import { openKeyPage, SealedPageWriter } from './sealed-page.js';

/** The first frame of an answer. `sealedBy` is the sender's half of the agreement. */
const answerHead = z.strictObject({
  date: scopeDate,
  region: regionName.optional(),
  service: serviceName.optional(),
  sealedBy: z.string(),
});
const absentList = z.array(z.strictObject({ accessKeyId, reason: z.enum(ABSENCES) }));

/** An entry with an id and services of usual lengths; whatever is longer takes another page. */
const USUAL_ENTRY_BYTES = 192;
/** Of the longest entry that there can be: one with 255 services. */
const LEAST_PAGE_BYTES = 20_480;
const MOST_PAGE_BYTES = 1_048_576;

/** Writes an answer for the wire, its keys sealed to the asker: a head, pages, who has no key, an end. */
export function encodeSealedAnswer<Key>(
  hop: Hop<Key>,
  { date, scope, sealing }: { readonly date: ScopeDate; readonly scope: AnswerScope; readonly sealing: Sealing },
  answer: KeyAnswer<Key>,
): Buffer {
  const { sender, key } = sealing;
  const usual = LEAST_PAGE_BYTES + answer.issued.size * USUAL_ENTRY_BYTES;
  const writer = new SealedPageWriter(hop.keyBytes, new PageSealer(key), Math.min(usual, MOST_PAGE_BYTES));
  const frames = [frameOf('head', { date, ...scope, sealedBy: sender })];
  const takePage = (): void => {
    const page = writer.take();
    if (page) frames.push(encodeFrame('sealed', page));
  };
  for (const { facts, key: issued } of answer.issued.values()) {
    exportedInto(hop, issued, (bytes) => {
      if (writer.add({ facts, key: bytes })) return;
      takePage();
      writer.add({ facts, key: bytes });
    });
  }
  takePage();
  frames.push(
    frameOf(
      'absent',
      [...answer.absent].map(([id, reason]) => ({ accessKeyId: id, reason })),
    ),
  );
  const end = Buffer.alloc(6);
  end.writeUIntBE(answer.issued.size, 0, end.length);
  return Buffer.concat([...frames, encodeFrame('end', end)]);
}

/**
 * Reads a parent's answer that is sealed to us, and believes it as any other: only if it is the answer to `request`.
 * Rejects with KeydError 'parent-unavailable'.
 */
export async function readSealedAnswer<Key>(
  hop: Hop<Key>,
  {
    request,
    scope,
    recipient,
  }: { readonly request: KeyRequest; readonly scope: AnswerScope; readonly recipient: Recipient },
  body: Buffer,
): Promise<KeyAnswer<Key>> {
  const frames = new AnswerFrames(hop, recipient);
  try {
    for await (const { kind, payload } of readFrames(only(body))) frames.take(kind, payload);
    return believedAnswer(request, scope, frames.whole());
  } catch (error) {
    if (error instanceof KeydError) throw error;
    throw mismatch(error instanceof Error ? error.message : 'what cannot be read');
  }
}

/** What the frames of an answer told so far. */
class AnswerFrames<Key> {
  readonly #hop: Hop<Key>;
  readonly #recipient: Recipient;
  readonly #issued: IssuedKey<Key>[] = [];
  readonly #absent: { readonly accessKeyId: string; readonly reason: Absence }[] = [];
  #head: (z.output<typeof answerHead> & { readonly opener: PageOpener }) | undefined;
  #isOver = false;

  constructor(hop: Hop<Key>, recipient: Recipient) {
    this.#hop = hop;
    this.#recipient = recipient;
  }

  take(kind: FrameKind, payload: Buffer): void {
    if (this.#isOver || (kind === 'head') !== (this.#head === undefined)) {
      throw new WrongStream(`a frame (${kind}) out of its place`);
    }
    switch (kind) {
      case 'head':
        this.#head = this.#readHead(payload);
        return;
      case 'sealed':
        this.#readPage(payload);
        return;
      case 'absent':
        this.#absent.push(...parsed(absentList, payload));
        return;
      case 'end':
        this.#isOver = payload.length === 6 && payload.readUIntBE(0, 6) === this.#issued.length;
        if (!this.#isOver) throw new WrongStream('an end that does not count the keys that came');
        return;
      case 'page':
        throw new WrongStream('keys that are not sealed');
    }
  }

  whole() {
    if (!this.#isOver || this.#head === undefined) throw new WrongStream('no end');
    const { date, region, service } = this.#head;
    return { date, region, service, issued: this.#issued, absent: this.#absent };
  }

  #readHead(payload: Buffer): z.output<typeof answerHead> & { readonly opener: PageOpener } {
    const head = parsed(answerHead, payload);
    const key = this.#recipient.keyFrom(head.sealedBy, this.#hop.path);
    if (key === undefined) throw new WrongStream('a sender that is no X25519 key');
    return { ...head, opener: new PageOpener(key) };
  }

  #readPage(payload: Buffer): void {
    if (this.#head === undefined) return;
    const { read, wipe } = openKeyPage(payload, this.#hop.keyBytes, this.#head.opener);
    try {
      for (const { facts, key } of read()) {
        this.#issued.push({ facts, key: importedKey(this.#hop, facts.accessKeyId, key) });
      }
    } finally {
      wipe();
    }
  }
}

function frameOf(kind: FrameKind, content: object): Buffer {
  return encodeFrame(kind, Buffer.from(JSON.stringify(content)));
}

function parsed<Schema extends z.ZodType>(schema: Schema, payload: Buffer): z.output<Schema> {
  const result = schema.safeParse(parseJson(payload));
  if (!result.success) throw new WrongStream('a frame of another form');
  return result.data;
}

async function* only(body: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(body);
}
