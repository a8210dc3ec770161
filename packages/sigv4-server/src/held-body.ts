import type { IncomingMessage } from 'node:http';

/** The whole body, or why it was not read whole. `client-gone`: nobody is left to be answered. */
export type HeldBody = Buffer | 'body-too-large' | 'client-gone';

const NO_BYTES = Buffer.alloc(0);

/** Whether a request announces a body. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Reads a whole body. Whoever reads the request afterwards reads what `putBack` gave it. */
export async function holdBody(request: IncomingMessage, longest: number): Promise<HeldBody> {
  if (!hasBody(request)) return NO_BYTES;
  if (Number(request.headers['content-length'] ?? 0) > longest) return 'body-too-large';
  const held = await readWithoutEnding(request, longest);
  if (held === 'body-too-large') request.resume();
  return held;
}

/** Gives verified bytes to whoever reads the request next, as if they had just arrived. */
export function putBack(request: IncomingMessage, body: Buffer): void {
  if (body.length > 0) request.unshift(body);
}

/**
 * A stream whose end was reached takes nothing back, and reaching it takes reading once more when all was read. So no
 * more is asked for than has arrived, and `complete` tells that nothing will come.
 */
function readWithoutEnding(request: IncomingMessage, longest: number): Promise<HeldBody> {
  if (request.complete && request.readableLength === 0) return Promise.resolve(NO_BYTES);
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let length = 0;
    const finish = (held: HeldBody): void => {
      request.off('readable', read);
      request.off('error', onGone);
      request.off('close', onGone);
      resolve(held);
    };
    const onGone = (): void => finish('client-gone');
    const read = (): void => {
      while (request.readableLength > 0) {
        const part: unknown = request.read(request.readableLength);
        if (!Buffer.isBuffer(part)) break;
        length += part.length;
        if (length > longest) {
          finish('body-too-large');
          return;
        }
        parts.push(part);
      }
      if (request.complete) finish(Buffer.concat(parts, length));
    };
    request.on('error', onGone);
    request.on('close', onGone);
    request.on('readable', read);
  });
}
