import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';
const STATUS = /^HTTP\/1\.1 (2\d\d) /;
const LENGTH = /\r\ncontent-length: *(\d+)\r\n/i;

/**
 * One kept connection that has one request under way. It reads as little of an answer as will do: what is measured is
 * the other end.
 */
export class KeptConnection {
  readonly #socket: Socket;
  #received = '';
  #awaited = -1;
  #onAnswer: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay();
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.#take(text));
    socket.once('close', () => {
      throw new Error(`the server ended a connection after ${JSON.stringify(this.#received.slice(0, 400))}`);
    });
  }

  static async open(port: number): Promise<KeptConnection> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new KeptConnection(socket);
  }

  /** `onAnswer` is called with the whole answer there. */
  send(request: Buffer, onAnswer: () => void): void {
    this.#onAnswer = onAnswer;
    this.#socket.write(request);
  }

  #take(text: string): void {
    this.#received += text;
    if (this.#awaited < 0) {
      const head = this.#received.indexOf(HEAD_END);
      if (head < 0) return;
      if (!STATUS.test(this.#received)) throw new Error(`a good request was refused: ${this.#received}`);
      const length = LENGTH.exec(this.#received.slice(0, head + 2))?.[1];
      if (length === undefined && !this.#received.startsWith('HTTP/1.1 204'))
        throw new Error('an answer has no length');
      this.#awaited = head + HEAD_END.length + Number(length ?? 0);
    }
    if (this.#received.length < this.#awaited) return;
    this.#received = '';
    this.#awaited = -1;
    this.#onAnswer();
  }
}
