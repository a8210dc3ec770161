import type { Duplex } from 'node:stream';
import {
  CallFailed,
  findTokenKeys,
  kDateOf,
  openToken,
  requireUsable,
  rewrapSecret,
  TokenFailure,
  WrapBroken,
  wrapSecret,
  type Token,
  type TokenKeys,
} from '@sigv4-keyd/pkcs11-custody';
import { FrameReader, frameOf, type Frame } from './frames.js';
import { request, type Answer, type KeyIds, type OpenRequest, type Request, type Under } from './messages.js';

interface Opened {
  readonly token: Token;
  readonly keyIds: KeyIds;
  readonly keys: ReadonlyMap<string, TokenKeys>;
}

type Asked = Exclude<Request, OpenRequest>;

/**
 * The other end of a master's pipe: one session with the token, in a process of its own. Calls to a module block, may
 * crash, and leave copies of what they were given: all of that stays out of the master. Resolves when the pipe has
 * ended, or the session has.
 */
export async function serveToken(pipe: Duplex): Promise<void> {
  const reader = new FrameReader();
  const tell: Tell = (answer, body) => {
    const bytes = frameOf(answer, body);
    body?.fill(0);
    pipe.write(bytes, () => bytes.fill(0));
  };
  let opened: Opened | undefined;
  for await (const chunk of pipe) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError('the pipe carries bytes');
    try {
      for (const { header, body } of reader.read(chunk)) {
        const asked = request.parse(header);
        if (asked.do === 'open') {
          opened = await open(asked);
          tell({ said: 'opened', keyIds: opened.keyIds });
        } else if (opened) {
          answerCall(opened, asked, body, tell);
        }
      }
    } catch (error) {
      // Within the loop: who leaves it closes the pipe.
      if (!(error instanceof TokenFailure)) throw error;
      tell({ said: 'failed', reason: error.reason, message: error.message });
      await new Promise((written) => pipe.end(written));
      return;
    }
  }
}

/** @throws TokenFailure */
async function open({ module, token: label, pin, keys: labels }: OpenRequest): Promise<Opened> {
  const token = await openToken({ module, token: label }, { pin });
  const [first, ...rest] = labels;
  const keys = [findTokenKeys(token, first), ...rest.map((each) => findTokenKeys(token, each))] as const;
  for (const each of keys) requireUsable(token, each);
  const byId = new Map(keys.map((each) => [each.id, each]));
  if (byId.size === keys.length) return { token, keyIds: idsOf(keys), keys: byId };
  throw new TokenFailure('keys-unsuitable', `the keys ${labels.join(' and ')} have the same CKA_ID: they are one key`);
}

function idsOf([first, ...rest]: readonly [TokenKeys, ...TokenKeys[]]): KeyIds {
  return [first.id, ...rest.map(({ id }) => id)];
}

type Tell = (answer: Answer, body?: Buffer) => void;

/** @throws TokenFailure when it is the token that fails, and not this one secret */
function answerCall(opened: Opened, asked: Asked, body: Frame['body'], tell: Tell): void {
  const { id } = asked;
  try {
    tell({ said: 'done', id }, madeFor(opened, asked, body));
  } catch (error) {
    tell({ said: 'broken', id, message: whyBroken(opened, error) });
  } finally {
    body.fill(0);
  }
}

/** Throws whatever is not about this one secret. */
function whyBroken({ token, keys }: Opened, error: unknown): string {
  if (error instanceof WrapBroken) return error.message;
  if (!(error instanceof CallFailed)) throw error;
  for (const each of keys.values()) requireUsable(token, each);
  return `the token refuses it alone (${error.message})`;
}

function madeFor({ token, keys: all }: Opened, asked: Asked, body: Buffer): Buffer {
  const under = ({ keyId, boundTo }: Under): { readonly keys: TokenKeys; readonly boundTo: Buffer } => {
    const keys = all.get(keyId);
    if (!keys) throw new WrapBroken(`it is sealed with custody key ${keyId}, which is not given`);
    return { keys, boundTo: Buffer.from(boundTo, 'utf8') };
  };
  switch (asked.do) {
    case 'wrap': {
      const { keys, boundTo } = under(asked.to);
      return wrapSecret(token, keys, boundTo, body);
    }
    case 'kDate': {
      const { keys, boundTo } = under(asked.from);
      return kDateOf(token, keys, boundTo, body, asked.date);
    }
    case 'rewrap':
      return rewrapSecret(token, { ...under(asked.from), secret: body }, under(asked.to));
  }
}
