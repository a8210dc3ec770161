import { stdSerializers } from 'pino';

/** Names of what is or may contain keys, secrets or signatures. */
export const NEVER_LOGGED: readonly string[] = [
  'authorization',
  'secretAccessKey',
  'secret',
  'key',
  'keys',
  'signature',
  'password',
  'connectionString',
  'sessionToken',
  'x-amz-security-token',
];

export const CENSORED = '[not logged]';

const names: ReadonlySet<string> = new Set(NEVER_LOGGED);
/** What Fastify logs under these names has serializers, which choose what is told of it. */
const SERIALIZED: ReadonlySet<string> = new Set(['req', 'res']);
/** How deep an object is looked into, and how many of its values: whatever lies beyond is not logged. */
const DEEPEST = 5;
const MOST_VALUES = 500;

/**
 * The merging object of a log line, with copies in place of the objects in it that have nothing under a name that is
 * never logged. Names of the merging object itself are not looked at. Most lines are flat, and cost nothing here.
 */
export function withoutNestedSecrets(line: Record<string, unknown>): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined;
  for (const name in line) {
    const value = line[name];
    if (typeof value !== 'object' || value === null || SERIALIZED.has(name)) continue;
    copy ??= { ...line };
    copy[name] = new Looking().at(value, 1);
  }
  return copy ?? line;
}

/** Looks into one value of a line. */
class Looking {
  #values = 0;

  at(value: unknown, depth: number): unknown {
    if (typeof value !== 'object' || value === null) return value;
    this.#values += 1;
    if (depth > DEEPEST || this.#values > MOST_VALUES) return CENSORED;
    if (value instanceof Error) return this.#errorOf(value, depth);
    if (writesItself(value)) return this.at(value.toJSON(), depth + 1);
    if (Array.isArray(value)) return value.map((one) => this.at(one, depth + 1));
    return this.#entriesOf(value, depth);
  }

  /** An error of the same class: pino tells its type, once more, by that. */
  #errorOf(error: Error, depth: number): unknown {
    const told = this.#entriesOf(stdSerializers.err(error), depth);
    return Object.create(prototypeOf(error), Object.getOwnPropertyDescriptors(told));
  }

  #entriesOf(value: object, depth: number): object {
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, names.has(name) ? CENSORED : this.at(inner, depth + 1)]),
    );
  }
}

function writesItself(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

function prototypeOf(value: object): object | null {
  const prototype: unknown = Object.getPrototypeOf(value);
  return typeof prototype === 'object' ? prototype : null;
}
