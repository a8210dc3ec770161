import { HOST, type Message } from './client.js';

export const ORIGINS = ['x-original', 'x-forwarded', 'request-line'] as const;
export type Origin = (typeof ORIGINS)[number];

/** Headers that a front adds to its question. */
export type Told = readonly (readonly [string, string])[];

/** The question that a front asks about a message. All but Envoy ask with a GET of their own. */
export function question(message: Message, origin: Origin, more: Told = [], host = HOST): Message {
  const { method, target, headers } = message;
  if (origin === 'request-line') {
    // Where it sends no body along, it says so.
    const length = message.body.length === 0 ? ([['content-length', '0']] as const) : [];
    return { ...message, headers: [...headers, ...length, ...more] };
  }
  const told: Readonly<Record<typeof origin, Told>> = {
    'x-original': [
      ['X-Original-Method', method],
      ['X-Original-URI', target],
    ],
    'x-forwarded': [
      ['X-Forwarded-Method', method],
      ['X-Forwarded-Uri', target],
      ['X-Forwarded-Host', host],
    ],
  };
  return { method: 'GET', target: '/auth', headers: [...headers, ...told[origin], ...more], body: Buffer.alloc(0) };
}
