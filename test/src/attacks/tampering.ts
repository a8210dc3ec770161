import type { Message } from '../edge-verifier/client.js';

/** A new value, or undefined to leave the thing out. */
export type Change = (value: string) => string | undefined;

/** The parts of a signature, by the names that the Authorization header and the query share. */
export type Part = 'Algorithm' | 'Credential' | 'SignedHeaders' | 'Signature' | 'Date' | 'Expires';

export function withHeader(message: Message, name: string, value: string): Message {
  return { ...message, headers: [...message.headers, [name, value]] };
}

export function changeHeader(message: Message, name: string, change: Change): Message {
  const headers = message.headers.flatMap(([header, before]): [string, string][] => {
    if (header.toLowerCase() !== name) return [[header, before]];
    const after = change(before);
    return after === undefined ? [] : [[header, after]];
  });
  return { ...message, headers };
}

export function dropHeader(message: Message, name: string): Message {
  return changeHeader(message, name, () => undefined);
}

export function headerOf(message: Message, name: string): string {
  return message.headers.find(([header]) => header.toLowerCase() === name)?.[1] ?? '';
}

export function retarget(message: Message, change: (target: string) => string): Message {
  return { ...message, target: change(message.target) };
}

export function addParameter(message: Message, parameter: string): Message {
  return retarget(message, (target) => `${target}${target.includes('?') ? '&' : '?'}${parameter}`);
}

export function changeParameter(message: Message, name: string, change: Change): Message {
  const [path = '', query = ''] = message.target.split('?', 2);
  const parts = query.split('&').flatMap((part) => {
    if (part.slice(0, part.indexOf('=')) !== name) return [part];
    const after = change(decodeURIComponent(part.slice(name.length + 1)));
    return after === undefined ? [] : [`${name}=${encodeURIComponent(after)}`];
  });
  return { ...message, target: parts.length === 0 ? path : `${path}?${parts.join('&')}` };
}

export function isPresignedMessage({ target, headers }: Message): boolean {
  return target.includes('X-Amz-Signature=') && !headers.some(([name]) => name.toLowerCase() === 'authorization');
}

/** Changes a part of the signature, wherever the request carries it. */
export function changePart(message: Message, part: Part, change: Change): Message {
  return isPresignedMessage(message)
    ? changeParameter(message, `X-Amz-${part}`, change)
    : changeInHeader(message, part, change);
}

export function partOf(message: Message, part: Part): string {
  let found = '';
  changePart(message, part, (value) => {
    found = value;
    return value;
  });
  return found;
}

function changeInHeader(message: Message, part: Part, change: Change): Message {
  if (part === 'Date') return changeHeader(message, 'x-amz-date', change);
  return changeHeader(message, 'authorization', (value) => {
    const space = value.indexOf(' ');
    const algorithm = value.slice(0, space);
    const parts = value.slice(space + 1);
    if (part === 'Algorithm') return `${change(algorithm) ?? ''} ${parts}`;
    const changed = parts.split(', ').flatMap((one) => {
      if (!one.startsWith(`${part}=`)) return [one];
      const after = change(one.slice(part.length + 1));
      return after === undefined ? [] : [`${part}=${after}`];
    });
    return `${algorithm} ${changed.join(', ')}`;
  });
}
