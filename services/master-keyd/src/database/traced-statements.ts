import { SpanKind, trace, type Tracer } from '@opentelemetry/api';
import { withinSpan, type SpanOf } from '@sigv4-keyd/hop-protocol';
import type { Pool } from 'pg';
import { PrimaryPool } from './primary-pool.js';

/** Who traces what runs on this pool now: nobody, unless it is done for something that is traced itself. */
export function tracerOf(pool: Pool): Tracer | undefined {
  if (!(pool instanceof PrimaryPool) || pool.tracer === undefined) return undefined;
  return trace.getActiveSpan() && pool.tracer;
}

/** The same connection, with a span for each statement. */
export function tracedConnection<Connection extends object>(connection: Connection, tracer: Tracer): Connection {
  return new Proxy(connection, {
    get(target, name): unknown {
      const member: unknown = Reflect.get(target, name);
      if (name !== 'query' || typeof member !== 'function') return member;
      return (...statement: readonly unknown[]) =>
        withinSpan(tracer, statementSpan(statement[0]), () =>
          Promise.resolve(Reflect.apply(member, target, statement)),
        );
    },
  });
}

const OPERATION = /^\s*([A-Za-z]{1,20})/;
const TABLE = /\b(?:FROM|INTO|UPDATE)\s+([a-z_]{1,63})\b/;

/** Of a statement a span has its first word and its first table: neither its text nor its values. */
export function statementSpan(text: unknown): SpanOf {
  const statement = typeof text === 'string' ? text : '';
  const operation = OPERATION.exec(statement)?.[1]?.toUpperCase() ?? 'QUERY';
  const table = TABLE.exec(statement)?.[1];
  return {
    name: table === undefined ? operation : `${operation} ${table}`,
    kind: SpanKind.CLIENT,
    facts: {
      'db.system.name': 'postgresql',
      'db.operation.name': operation,
      ...(table !== undefined && { 'db.collection.name': table }),
    },
  };
}
