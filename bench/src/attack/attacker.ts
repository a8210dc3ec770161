import { connect, type Socket } from 'node:net';
import { headOf, isSlow } from './attack-requests.js';
import { attackSettings, type AttackAnswer } from './messages.js';

/**
 * One client that attacks, in a process of its own, over as many connections as it is told, each opened again when the
 * edge ends it. A message asks what it got.
 */
const settings = attackSettings.parse(JSON.parse(process.argv[2] ?? ''));
const REASON = /\r\nx-keyd-reason: (\S+)/i;
const A_BYTE_EVERY_MS = 1_000;
const RECONNECT_AFTER_MS = 20;

const answers = new Map<string, number>();
let opened = 0;
let closed = 0;
let turn = 0;
/** Signing would take the attacker's time: but for unknown access keys the head of a second ago is as good. */
let kept = { head: '', until: 0 };

function nextHead(): string {
  turn += 1;
  if (settings.attack === 'unknown access keys') return headOf(settings, turn);
  if (Date.now() >= kept.until) kept = { head: headOf(settings, turn), until: Date.now() + 1_000 };
  return kept.head;
}

function open(whenAllWere: () => void): void {
  const socket = connect(settings.port, '127.0.0.1');
  socket.setEncoding('latin1');
  socket.once('connect', () => {
    opened += 1;
    if (opened === settings.connections) whenAllWere();
    if (isSlow(settings.attack)) drip(socket);
    else socket.write(nextHead());
  });
  socket.on('data', (text: string) => {
    const reason = REASON.exec(text)?.[1];
    if (reason === undefined) return;
    answers.set(reason, (answers.get(reason) ?? 0) + 1);
    if (!isSlow(settings.attack) && socket.writable) socket.write(nextHead());
  });
  socket.on('error', () => undefined);
  socket.once('close', () => {
    closed += 1;
    setTimeout(() => open(whenAllWere), RECONNECT_AFTER_MS);
  });
}

/** All but the end of a head, or a whole head; then a byte a second. */
function drip(socket: Socket): void {
  const head = nextHead();
  socket.write(settings.attack === 'slow heads' ? `${head.slice(0, -2)}x-slow: ` : head);
  const dripping = setInterval(() => socket.write('a'), A_BYTE_EVERY_MS);
  socket.once('close', () => clearInterval(dripping));
}

const allOpen = new Promise<void>((resolve) => {
  for (let client = 0; client < settings.connections; client += 1) open(resolve);
});
process.on('message', () => {
  void allOpen.then(() => {
    const answer: AttackAnswer = { answers: Object.fromEntries(answers), closed };
    process.send?.(answer);
  });
});
process.once('disconnect', () => process.exit());
