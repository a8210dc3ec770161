import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '@sigv4-keyd/hop-protocol';
import { PayloadError } from './payload-error.js';

export interface PayloadLimits {
  /** Bytes, with whatever frames them. */
  readonly largest: number;
  /** The longest pause between two parts, milliseconds. */
  readonly idleMs: number;
}

/** Whether a request has a body, and how long it says that it is. */
export interface PayloadFraming {
  readonly present: boolean;
  /** Bytes; undefined when the body comes in chunks. */
  readonly length: number | undefined;
}

export function framingOf({ headers }: IncomingMessage): PayloadFraming {
  if (headers['transfer-encoding'] !== undefined) return { present: true, length: undefined };
  const length = Number(headers['content-length'] ?? 0);
  return { present: length > 0, length };
}

/**
 * The body part by part, within the limits. Throws a PayloadError. Leaving early does not end the connection: the
 * client is still to be answered. `begin` is called right before the first part is awaited: only now may a client that
 * expects "100 Continue" hear it.
 */
export async function* incomingPayload(
  request: IncomingMessage,
  limits: PayloadLimits,
  clock: Clock,
  begin: () => void,
): AsyncGenerator<Buffer, void, undefined> {
  const framing = framingOf(request);
  if ((framing.length ?? 0) > limits.largest) throw new PayloadError('body-too-large');
  if (framing.present) begin();
  const parts = request.iterator({ destroyOnReturn: false });
  let length = 0;
  let isWaiting = false;
  try {
    for (;;) {
      isWaiting = true;
      const { done, value } = await nextPart(parts, limits.idleMs, clock);
      isWaiting = false;
      if (done) break;
      if (!Buffer.isBuffer(value)) throw new TypeError('a body arrives in buffers');
      length += value.length;
      if (length > limits.largest) throw new PayloadError('body-too-large');
      yield value;
    }
  } finally {
    // Lets go of the request, and drops what still comes. While it waits for a part it would not return.
    if (!isWaiting) {
      await parts.return?.();
      request.resume();
    }
  }
  if (!request.complete) throw new PayloadError('client-gone');
}

/** Some clients send their body only after this: it must not come before the head was verified. */
export function sayContinue(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers.expect !== undefined && request.httpVersion === '1.1') response.writeContinue();
}

async function nextPart(
  parts: AsyncIterator<unknown>,
  idleMs: number,
  clock: Clock,
): Promise<{ readonly done: boolean; readonly value: unknown }> {
  let stop = (): void => undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    stop = clock.after(idleMs, () => reject(new PayloadError('request-timeout')));
  });
  try {
    const next: IteratorResult<unknown, unknown> = await Promise.race([parts.next(), tooLate]);
    return { done: next.done ?? false, value: next.value };
  } catch (error) {
    throw error instanceof PayloadError ? error : new PayloadError('client-gone', error);
  } finally {
    stop();
  }
}
