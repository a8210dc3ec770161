import { KeydError } from '@sigv4-keyd/hop-protocol';

/** SQLSTATE classes and codes that say that the server cannot serve now, rather than that a statement is wrong. */
const UNAVAILABLE_STATES = /^(?:08...|25006|25P03|28...|3D000|40001|40P01|53...|55P03|57014|57P0[1-5]|58...|XX00[12])$/;

const UNAVAILABLE_SYSTEM_ERRORS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
]);

/** What the driver says without a code when a connection breaks or a wait ends. */
const UNAVAILABLE_MESSAGES =
  /^(?:Connection terminated|timeout (?:exceeded|expired)|Query read timeout|Client (?:was closed|has enc))/;

/** The code of an error of the driver, the operating system or the server: ECONNREFUSED, 28P01, ... */
export function stateOf(error: unknown): string | undefined {
  // Where a host has several addresses, the reasons of all are collected.
  if (error instanceof AggregateError) return stateOf(error.errors[0]);
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

export function isUnavailable(error: unknown): boolean {
  const state = stateOf(error);
  if (state !== undefined) return UNAVAILABLE_SYSTEM_ERRORS.has(state) || UNAVAILABLE_STATES.test(state);
  return error instanceof Error && UNAVAILABLE_MESSAGES.test(error.message);
}

/** What ends the use of a connection: it broke or hangs, the server is going away, or takes no writes any more. */
const LOST_STATES = /^(?:08...|25006|57P0[1-5]|58...|XX00[12])$/;
/** That all connections were busy for too long ("timeout exceeded") is not among them. */
const LOST_MESSAGES = /^(?:Connection terminated|timeout expired|Query read timeout|Client (?:was closed|has enc))/;

/** Whether the connection that this came over must not be used again, nor another to the same server be trusted. */
export function isConnectionLost(error: unknown): boolean {
  const state = stateOf(error);
  if (state !== undefined) return UNAVAILABLE_SYSTEM_ERRORS.has(state) || LOST_STATES.test(state);
  return error instanceof Error && LOST_MESSAGES.test(error.message);
}

/** The error to answer with: 'database-unavailable', or the error itself where the database is not to blame. */
export function answerable(error: unknown): unknown {
  return isUnavailable(error) ? new KeydError('database-unavailable', { cause: error }) : error;
}
