import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');
const LENGTH = /\r\ncontent-length: *(\d+)\r\n/i;
/** Where the three digits of a status begin. */
const STATUS_AT = 'HTTP/1.1 '.length;
/** More than an answer with its head has. */
const READ_BYTES = 16 * 1024;
const NOTHING = Buffer.alloc(0);

/**
 * One kept connection that has one request under way. It reads as little of an answer as will do, from one buffer that
 * all answers come in: what is measured is the other end.
 */
export class KeptConnection {
  readonly #socket: Socket;
  readonly #onAnswer: () => void;
  /** What came of an answer that is not whole. */
  #received: Buffer = NOTHING;

  /** `onAnswer` is called with each whole answer there. */
  private constructor(port: number, onAnswer: () => void) {
    this.#onAnswer = onAnswer;
    const onread = {
      buffer: Buffer.alloc(READ_BYTES),
      callback: (length: number, buffer: Uint8Array): boolean => {
        this.#take(Buffer.from(buffer.buffer, buffer.byteOffset, length));
        return true;
      },
    };
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread });
    this.#socket.once('close', () => {
      throw new Error(
        `the server ended a connection after ${JSON.stringify(this.#received.toString('latin1', 0, 400))}`,
      );
    });
  }

  static async open(port: number, onAnswer: (connection: KeptConnection) => void): Promise<KeptConnection> {
    const connection: KeptConnection = new KeptConnection(port, () => onAnswer(connection));
    await once(connection.#socket, 'connect');
    return connection;
  }

  send(request: Buffer): void {
    this.#socket.write(request);
  }

  #take(part: Buffer): void {
    const received = this.#received.length === 0 ? part : Buffer.concat([this.#received, part]);
    if (isWhole(received)) {
      this.#received = NOTHING;
      this.#onAnswer();
    } else {
      // The buffer that it came in is written over by the next part.
      this.#received = Buffer.from(received);
    }
  }
}

function isWhole(answer: Buffer): boolean {
  const head = answer.indexOf(HEAD_END);
  if (head < 0) return false;
  const status = answer.toString('latin1', STATUS_AT, STATUS_AT + 3);
  if (!status.startsWith('2')) throw new Error(`a good request was refused: ${answer.toString('latin1')}`);
  if (status === '204') return true;
  const length = LENGTH.exec(answer.toString('latin1', 0, head + 2))?.[1];
  if (length === undefined) throw new Error('an answer has no length');
  return answer.length >= head + HEAD_END.length + Number(length);
}
