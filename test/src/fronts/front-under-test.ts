import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import type { Test } from 'tap';
import { send, type Message, type Reply, type SendOptions } from '../edge-verifier/client.js';
import { startEdge, type EdgeUnderTest } from '../edge-verifier/edge-under-test.js';
import { freePort } from '../support/free-port.js';
import { programOnPort } from '../support/program-on-port.js';

/** What the application behind a front was asked. */
export interface Served {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface FrontProgram {
  readonly program: string;
  /** Told the addresses, writes the configuration that stands in deploy/fronts with them, and gives the arguments. */
  readonly configure: (places: FrontPlaces) => readonly string[];
  /** The edge's settings for this front. */
  readonly edge: Readonly<Record<string, string>>;
}

/** Addresses are HOST:PORT. */
export interface FrontPlaces {
  readonly folder: string;
  readonly listen: string;
  readonly edge: string;
  readonly application: string;
}

/** A real front before an application, asking a real edge. */
export interface FrontUnderTest {
  readonly edge: EdgeUnderTest;
  /** Every request that reached the application, oldest first. */
  readonly served: readonly Served[];
  readonly ask: (message: Message, options?: SendOptions) => Promise<Reply>;
  /** Connections that the front has opened to the edge so far. */
  readonly connections: () => number;
  /** Takes the edge away from the front. */
  readonly cutEdge: () => Promise<void>;
}

/** False when the program is here; otherwise why the test is skipped, in capitals. */
export function missing(program: string, versionArgument: string): string | false {
  try {
    execFileSync(program, [versionArgument], { stdio: 'ignore' });
    return false;
  } catch {
    return `${program.toUpperCase()} IS NOT INSTALLED HERE: its configuration was not tested`;
  }
}

export async function startFront(t: Test, front: FrontProgram): Promise<FrontUnderTest> {
  const edge = await startEdge(t, { env: front.edge });
  const served: Served[] = [];
  const application = createServer((request, response) => {
    let body = '';
    request.setEncoding('latin1').on('data', (part: string) => (body += part));
    request.on('end', () => {
      served.push({ method: request.method ?? '', target: request.url ?? '', headers: request.headers, body });
      response.end('served');
    });
  });
  const counting = countingRelay(edge.forwardAuth);
  const port = await freePort();
  const listen = `127.0.0.1:${port}`;
  const places = {
    folder: t.testdir(),
    listen,
    edge: await listening(t, counting.server),
    application: await listening(t, application),
  };
  await programOnPort(t, {
    program: front.program,
    args: front.configure(places),
    port,
    cwd: places.folder,
    env: { HOME: places.folder },
  });
  return {
    edge,
    served,
    ask: (message, options) => send(listen, message, options),
    connections: () => counting.accepted(),
    cutEdge: () => counting.cut(),
  };
}

/** Passes connections on and counts them. */
function countingRelay(to: string): { readonly server: Server; accepted(): number; cut(): Promise<void> } {
  let accepted = 0;
  const open = new Set<{ destroy(): unknown }>();
  const [host, port] = to.split(':');
  const server = createTcpServer((socket) => {
    accepted += 1;
    const onward = connect({ host, port: Number(port) });
    for (const end of [socket, onward]) {
      open.add(end);
      end.on('error', () => undefined);
      end.once('close', () => {
        open.delete(end);
        socket.destroy();
        onward.destroy();
      });
    }
    socket.pipe(onward).pipe(socket);
  });
  return {
    server,
    accepted: () => accepted,
    async cut() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const end of open) end.destroy();
      await closed;
    },
  };
}

async function listening(t: Test, server: Server): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => new Promise((resolve) => (server.listening ? server.close(resolve) : resolve(undefined))));
  return addressOf(server);
}

function addressOf(server: Server): string {
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
