import type { Command } from 'commander';
import { z } from 'zod';
import { helpAfter } from './help.js';
import { longFlag, optionFactsOf } from './option.js';
import type { Outcome } from './outcome.js';
import type { Surroundings } from './surroundings.js';
import { usageError } from './command-error.js';
import { Unfinished } from './unfinished.js';
import { writeOutcome } from './write-outcome.js';

export interface CommandDefinition<Options extends z.ZodObject> {
  readonly name: string;
  readonly summary: string;
  /** More than a line, where there is more to know. */
  readonly description?: string;
  /** In commander's notation: `<id>`, `[name]`, `<part...>`. */
  readonly positionals?: readonly (readonly [notation: string, about: string])[];
  readonly options: Options;
  readonly examples: readonly string[];
  readonly run: (call: CommandCall<z.output<Options>>) => Promise<Outcome>;
}

export interface CommandCall<Options> {
  readonly options: Options;
  readonly positionals: readonly string[];
  readonly surroundings: Surroundings;
}

/** Adds the command to a group of commands. */
export type Install = (group: Command, surroundings: Surroundings) => void;

export function defineCommand<Options extends z.ZodObject>(definition: CommandDefinition<Options>): Install {
  return (group, surroundings) => {
    const command = group.command(definition.name).summary(definition.summary);
    command.description(definition.description ?? definition.summary);
    for (const [notation, about] of definition.positionals ?? []) command.argument(notation, about);
    for (const [name, field] of fieldsOf(definition.options)) addOption(command, name, field);
    command.option('--json', 'print one JSON document instead of text');
    command.addHelpText('after', helpAfter(definition.examples));
    command.action(async () => {
      const options = readOptions(definition.options, command, surroundings);
      const outcome = await definition.run({ options, positionals: command.args, surroundings });
      await writeOutcome(outcome, surroundings, command.getOptionValue('json') === true);
      if (outcome.isUnfinished === true) throw new Unfinished();
    });
  };
}

function fieldsOf(schema: z.ZodObject): readonly (readonly [name: string, field: z.core.$ZodType])[] {
  return Object.entries(schema.shape);
}

function addOption(command: Command, name: string, field: z.core.$ZodType): void {
  const { about, value, isList, env } = optionFactsOf(field);
  const notation = value === undefined ? longFlag(name) : `${longFlag(name)} <${value}>`;
  const description = env === undefined ? about : `${about} (or ${env})`;
  const option = command.createOption(notation, description);
  if (isList === true) {
    option.argParser((given: string, before: unknown) => (typeof before === 'string' ? `${before},${given}` : given));
  }
  command.addOption(option);
}

function readOptions<Options extends z.ZodObject>(
  schema: Options,
  command: Command,
  surroundings: Surroundings,
): z.output<Options> {
  const given: Record<string, unknown> = {};
  for (const [name, field] of fieldsOf(schema)) {
    const { env } = optionFactsOf(field);
    const value: unknown = command.getOptionValue(name);
    const standIn = env === undefined ? undefined : surroundings.env[env];
    if (value !== undefined) given[name] = value;
    else if (standIn !== undefined && standIn !== '') given[name] = standIn;
  }
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  const problems = read.error.issues.map((issue) => problemOf(issue, given));
  throw usageError([...new Set(problems)].join('; '), `See "${nameOf(command)} --help"`);
}

/** Values are not quoted: what was put after the wrong option may be a secret. */
function problemOf(issue: z.core.$ZodIssue, given: Readonly<Record<string, unknown>>): string {
  const name = String(issue.path[0] ?? '');
  if (name === '') return issue.message;
  if (given[name] === undefined) return `${longFlag(name)} is missing`;
  return `${longFlag(name)} ${issue.message}`;
}

function nameOf(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) names.unshift(at.name());
  return names.join(' ');
}
