import { setImmediate as otherWork } from 'node:timers/promises';
import { z } from 'zod';
import type { Hop } from '../hops.js';
import type { AnswerScope } from '../key-answer.js';
import { regionName, serviceName } from '../schemas.js';
import type { Recipient } from '../sealed-keys/agreement.js';
import { PageOpener } from '../sealed-keys/page-seal.js';
import { openKeyPage, type OpenedPage } from '../sealed-keys/sealed-page.js';
import { dayStreamRequest, type DayStreamRequest } from './day-stream-api.js';
import { MOST_FRAME_BYTES, readFrames, WrongStream } from './frame.js';
import { decodeKeyPage, type StreamedKey } from './key-page.js';

const dayStreamHead = dayStreamRequest.extend({
  region: regionName.optional(),
  service: serviceName.optional(),
  sealedBy: z.string().optional(),
});

export interface DayStreamQuestion {
  readonly request: DayStreamRequest;
  /** What our own certificate says. */
  readonly scope: AnswerScope;
  readonly hop: Pick<Hop<never>, 'path' | 'keyBytes'>;
  /** Whom the keys are sealed to, where the parent can do so. */
  readonly recipient: Recipient;
}

/**
 * Reads a parent's stream, a page of keys at a time, and refuses one that is not the answer to the question: another
 * date, scope or set, ids out of order or twice, a wrong count. Pages before that are whole and may be kept. The keys
 * of a page are overwritten once the next is asked for. Throws WrongStream, or an Error for a stream that was cut.
 */
export async function* readDayStream(
  question: DayStreamQuestion,
  body: AsyncIterable<Buffer>,
): AsyncGenerator<readonly StreamedKey[], void, undefined> {
  const { request, hop } = question;
  let opener: PageOpener | undefined;
  let part: 'head' | 'pages' | 'end' = 'head';
  let count = 0;
  let last = request.after ?? '';
  for await (const { kind, payload } of readFrames(body)) {
    if (part === 'end') throw new WrongStream('something after the end');
    if ((part === 'head') !== (kind === 'head')) throw new WrongStream(`a frame (${kind}) out of its place`);
    if (kind === 'head') {
      opener = checkedHead(question, payload);
      part = 'pages';
    } else if (kind === 'end') {
      checkCount(payload, count);
      part = 'end';
    } else {
      if (kind !== (opener ? 'sealed' : 'page')) throw new WrongStream(`a frame (${kind}) of another form`);
      const page = opener ? openKeyPage(payload, hop.keyBytes, opener) : clearPage(payload, hop.keyBytes);
      try {
        await otherWork();
        const keys = page.read();
        count += keys.length;
        last = lastOfAscending(keys, last);
        yield keys;
      } finally {
        page.wipe();
      }
    }
  }
  if (part !== 'end') throw new Error('the stream was cut: it has no end');
}

/** What opens the pages of a sealed stream. */
function checkedHead({ request, scope, hop, recipient }: DayStreamQuestion, payload: Buffer): PageOpener | undefined {
  const head = dayStreamHead.safeParse(parsedJson(payload));
  if (!head.success) throw new WrongStream('a head of another form');
  const { date, which, after, region, service, sealedBy } = head.data;
  if (date !== request.date) throw new WrongStream(`keys of ${date} instead of ${request.date}`);
  if (region !== scope.region) {
    throw new WrongStream(`keys of region ${region ?? '(all)'} instead of ${scope.region ?? '(all)'}`);
  }
  if (service !== scope.service) {
    throw new WrongStream(`keys of service ${service ?? '(all)'} instead of ${scope.service ?? '(all)'}`);
  }
  if (which !== request.which || after !== request.after)
    throw new WrongStream('other access keys than were asked for');
  if (sealedBy === undefined) return undefined;
  const key = recipient.keyFrom(sealedBy, hop.path);
  if (key === undefined) throw new WrongStream('a sender that is no X25519 key');
  return new PageOpener(key);
}

/** Of a parent of an earlier release. The frame, which the keys are views of, is overwritten by who reads it. */
function clearPage(page: Buffer, keyBytes: number): OpenedPage {
  return { read: () => decodeKeyPage(page, keyBytes), wipe: () => undefined };
}

function parsedJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    return undefined;
  }
}

function lastOfAscending(keys: readonly StreamedKey[], before: string): string {
  let last = before;
  for (const { facts } of keys) {
    // Ids are ASCII: the order of strings is the order of their bytes.
    if (facts.accessKeyId <= last) throw new WrongStream(`${facts.accessKeyId} out of order, or twice`);
    last = facts.accessKeyId;
  }
  return last;
}

function checkCount(payload: Buffer, count: number): void {
  if (payload.length !== MOST_FRAME_BYTES.end) throw new WrongStream('an end of another form');
  const said = payload.readUIntBE(0, payload.length);
  if (said !== count) throw new WrongStream(`an end after ${said} keys where ${count} came`);
}
