import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import type { Test } from 'tap';
import { z } from 'zod';

const attribute = z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) });
const span = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.number(),
  attributes: z.array(attribute).default([]),
  links: z.array(z.object({ traceId: z.string(), spanId: z.string() })).default([]),
  status: z.object({ code: z.number().optional() }).default({}),
});
const exported = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: z.array(attribute) }),
      scopeSpans: z.array(z.object({ spans: z.array(span) })),
    }),
  ),
});

/** A span as it came. */
export interface Collected extends Omit<z.output<typeof span>, 'attributes'> {
  readonly service: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];

/** A collector that takes traces by OTLP/HTTP in JSON, and keeps every byte. */
export class Collector {
  readonly spans: Collected[] = [];
  readonly bytes: Buffer[] = [];
  /** Takes what comes, and answers nothing. */
  isSilent = false;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const whole = Buffer.concat(chunks);
        this.#take(request.headers['content-encoding'] === 'gzip' ? gunzipSync(whole) : whole);
        if (!this.isSilent) response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
  }

  static async start(t: Test): Promise<Collector> {
    const collector = new Collector();
    await new Promise<void>((resolve) => collector.#server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => collector.close());
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The spans of one trace. */
  trace(traceId: string): readonly Collected[] {
    return this.spans.filter((one) => one.traceId === traceId);
  }

  parentOf(child: Collected): Collected | undefined {
    return this.spans.find(({ traceId, spanId }) => traceId === child.traceId && spanId === child.parentSpanId);
  }

  /** `service kind name`, from the span up to the root of its trace. */
  wayUp(from: Collected): readonly string[] {
    const above = this.parentOf(from);
    const { service, kind, name } = from;
    return [`${service} ${KINDS[kind] ?? '?'} ${name}`, ...(above ? this.wayUp(above) : [])];
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #take(body: Buffer): void {
    this.bytes.push(body);
    for (const { resource, scopeSpans } of exported.parse(JSON.parse(body.toString('utf8'))).resourceSpans) {
      const service = String(factsOf(resource.attributes)['service.name']);
      for (const one of scopeSpans.flatMap(({ spans }) => spans)) {
        this.spans.push({ ...one, service, facts: factsOf(one.attributes) });
      }
    }
  }
}

function factsOf(attributes: readonly z.output<typeof attribute>[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
