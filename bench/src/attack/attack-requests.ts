import { createHash, randomBytes } from 'node:crypto';
import { signRequest, type Credentials, type UnsignedRequest } from '@sigv4-keyd/sigv4-core';
import type { Attack, AttackSettings } from './messages.js';

const HOST = 'localhost';
const MADE_UP_SECRET = 'nobody gave this out';
/** Just below what the edge reads of a head, and above it. */
const FILLERS = { below: 190, above: 400 } as const;
const BODY_BYTES = 1024 ** 2;

/** The next head of an attack, complete; what signs correctly is only who sends bodies slowly. */
export function headOf(settings: AttackSettings, turn: number): string {
  const { accessKeyId, secretAccessKey } = settings;
  switch (settings.attack) {
    case 'bad signatures':
    case 'slow heads':
      return written('GET', settings, { accessKeyId, secretAccessKey: MADE_UP_SECRET });
    case 'unknown access keys':
      return written('GET', settings, { accessKeyId: unknownId(turn), secretAccessKey: MADE_UP_SECRET });
    case 'giant headers':
      return written('GET', settings, { accessKeyId, secretAccessKey: MADE_UP_SECRET }, FILLERS.below);
    case 'too large headers':
      return written('GET', settings, { accessKeyId, secretAccessKey: MADE_UP_SECRET }, FILLERS.above);
    case 'slow bodies':
      return written('PUT', settings, { accessKeyId, secretAccessKey });
  }
}

export function isSlow(attack: Attack): boolean {
  return attack === 'slow heads' || attack === 'slow bodies';
}

function written(
  method: 'GET' | 'PUT',
  { region, service }: AttackSettings,
  credentials: Credentials,
  fillers = 0,
): string {
  const unsigned: UnsignedRequest = { method, target: '/bucket/key', headers: [['Host', HOST]] };
  const length = method === 'PUT' ? BODY_BYTES : 0;
  const sha256 = createHash('sha256').update(Buffer.alloc(length)).digest('hex');
  const payload = { kind: 'exact', sha256 } as const;
  const { headers } = signRequest(unsigned, credentials, { now: Date.now(), region, service, payload });
  const filled = Array.from({ length: fillers }, (_, n) => [`x-filler-${n}`, 'a'.repeat(60)] as const);
  const all = [...unsigned.headers, ...headers, ['Content-Length', String(length)] as const, ...filled];
  const lines = all.map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${unsigned.target} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** Another one each time, and in each process. */
const PROCESS = randomBytes(4).toString('hex').toUpperCase();
function unknownId(turn: number): string {
  return `AKIA${PROCESS}${String(turn).padStart(8, '0')}`;
}
