import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { DEFAULT_PORT_BASE, HIGHEST_PORT_BASE } from './ports.js';
import { StackError } from './stack-error.js';

const resetOptions = z.object({ dir: z.string().min(1) });
const startOptions = resetOptions.extend({ portBase: z.number(), json: z.boolean() });
const tourOptions = resetOptions.extend({ json: z.boolean() });

export type TourOptions = z.output<typeof tourOptions>;
export type ResetOptions = z.output<typeof resetOptions>;
export type StartOptions = z.output<typeof startOptions>;

/** Reads the arguments of `npm start`; undefined when they only asked for help, which is printed then. */
export function readStartOptions(args: readonly string[]): StartOptions | undefined {
  const command = withDir(new Command('npm start --'))
    .description(
      'Starts the whole system on this machine: PostgreSQL, one master, two regions, four edges, an upstream.',
    )
    .option('--port-base <port>', 'first of the ports to use', portBase, DEFAULT_PORT_BASE)
    .option('--json', 'print one line of JSON with everything a script needs, then stay up', false)
    .addHelpText('after', EXAMPLES);
  return parse(command, args) ? startOptions.parse(command.opts()) : undefined;
}

/** Reads the arguments of `npm run tour`. */
export function readTourOptions(args: readonly string[]): TourOptions | undefined {
  const command = withDir(new Command('npm run tour --'))
    .description('Tells the story of a break-in and its revocation, with the stack that npm start runs.')
    .option('--json', 'print one JSON document instead of the story', false);
  return parse(command, args) ? tourOptions.parse(command.opts()) : undefined;
}

/** Reads the arguments of `npm run reset`. */
export function readResetOptions(args: readonly string[]): ResetOptions | undefined {
  const command = withDir(new Command('npm run reset --')).description(
    'Removes the state of a stack that is not running.',
  );
  return parse(command, args) ? resetOptions.parse(command.opts()) : undefined;
}

function withDir(command: Command): Command {
  return command
    .option('--dir <folder>', 'folder of the state: database, certificates, logs', '.keyd')
    .helpOption('-h, --help', 'print help')
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
}

function parse(command: Command, args: readonly string[]): boolean {
  try {
    command.parse(args, { from: 'user' });
    return true;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return false;
    throw new StackError(`${error.message.replace(/^error: /, '')}. See ${command.name()} --help`);
  }
}

function portBase(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port >= 1024 && port <= HIGHEST_PORT_BASE) return port;
  throw new InvalidArgumentError(`give a number between 1024 and ${HIGHEST_PORT_BASE}`);
}

const EXAMPLES = `
DATABASE_URL=postgres://USER:PASSWORD@HOST:PORT/DATABASE uses a PostgreSQL of your own instead of the embedded one.

Examples:
  $ npm start
  $ npm start -- --port-base 17400 --dir /tmp/keyd
  $ npm start -- --json | jq .accessKeyId
  $ npm run reset`;
