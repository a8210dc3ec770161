/** What a service can be told on its command line; everything else is in its settings. */
const SERVICE_ARGUMENTS = ['--check', '--confined', '--node-options', '--help'] as const;
export type ServiceArgument = (typeof SERVICE_ARGUMENTS)[number];

/** The command line is wrong; `message` says what would be right. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError';
}

/**
 * The one argument, if there is any. A misspelt `--confined` must not start a service that is confined by nothing.
 * @throws ArgumentError for anything else
 */
export function serviceArgument(args: readonly string[]): ServiceArgument | undefined {
  const [first, ...more] = args;
  if (first === undefined) return undefined;
  const known = SERVICE_ARGUMENTS.find((argument) => argument === first);
  if (known !== undefined && more.length === 0) return known;
  const said = JSON.stringify(args.join(' '));
  throw new ArgumentError(`takes one of ${SERVICE_ARGUMENTS.join(', ')}, or nothing; got ${said}`);
}
