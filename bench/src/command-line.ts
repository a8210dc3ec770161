import { parseArgs } from 'node:util';
import { z } from 'zod';
import { benchOptions, type BenchOptions } from './bench-part.js';
import { PARTS } from './parts.js';

export interface Wanted {
  readonly parts: readonly string[];
  readonly options: BenchOptions;
  /** A file, or `-` for standard output. */
  readonly json: string | undefined;
  /** A folder for the plots. */
  readonly out: string | undefined;
  readonly help: boolean;
}

/** What is wrong with a command line, and what to do about it. */
export class CommandLineError extends Error {
  override readonly name = 'CommandLineError';
}

const flags = z.object({
  quick: z.boolean().default(false),
  tiny: z.boolean().default(false),
  keys: z.string().regex(/^\d+$/, 'give --keys a whole number, as in --keys 1000000').optional(),
  edges: z
    .string()
    .regex(/^\d+(,\d+)*$/, 'give --edges whole numbers, as in --edges 10,100,1000')
    .optional(),
  'port-base': z.string().regex(/^\d+$/, 'give --port-base a port, as in --port-base 23400').default('23400'),
  json: z.string().optional(),
  out: z.string().optional(),
  help: z.boolean().default(false),
});

/** @throws CommandLineError */
export function readCommandLine(args: readonly string[]): Wanted {
  const { values, positionals } = parsed(args);
  const read = flags.safeParse(values);
  if (!read.success) throw new CommandLineError(read.error.issues.map(({ message }) => message).join('; '));
  const unknown = positionals.filter((name) => !Object.hasOwn(PARTS, name));
  if (unknown.length > 0) throw new CommandLineError(`there is no part ${unknown.join(', ')}: name some of --help`);
  const { quick, tiny, keys, edges, json, out, help } = read.data;
  const options = benchOptions.safeParse({
    scale: tiny ? 'tiny' : quick ? 'quick' : 'whole',
    ...(keys !== undefined && { keys: Number(keys) }),
    ...(edges !== undefined && { edges: edges.split(',').map(Number) }),
    portBase: Number(read.data['port-base']),
  });
  if (!options.success) throw new CommandLineError('give --keys and --edges numbers above 0');
  const parts = positionals.length > 0 ? positionals : Object.keys(PARTS);
  return { parts, options: options.data, json, out, help };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        quick: { type: 'boolean' },
        tiny: { type: 'boolean' },
        keys: { type: 'string' },
        edges: { type: 'string' },
        'port-base': { type: 'string' },
        json: { type: 'string' },
        out: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new CommandLineError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
