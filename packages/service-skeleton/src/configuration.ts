import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** The environment: names and values. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** All that is wrong with a configuration, told at once. */
export class ConfigurationError extends Error {
  readonly problems: readonly string[];
  override readonly name = 'ConfigurationError';

  constructor(problems: readonly string[]) {
    super(`the configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}`);
    this.problems = problems;
  }
}

const PREFIX = 'KEYD_';
const FILE = '_FILE';

/**
 * Reads the settings of `schema` from the environment, once and whole. The setting `databaseUrl` is KEYD_DATABASE_URL,
 * or the content of the file that KEYD_DATABASE_URL_FILE names. A KEYD_ variable that no setting has is a problem too:
 * a misspelt setting must not silently fall back to its default.
 * @throws ConfigurationError
 */
export function readConfiguration<Schema extends z.ZodObject>(schema: Schema, env: Environment): z.output<Schema> {
  const problems: string[] = [];
  const values: Record<string, string> = {};
  const known = new Set<string>();
  for (const setting of Object.keys(schema.shape)) {
    const variable = variableOf(setting);
    known.add(variable).add(variable + FILE);
    const value = valueOf(env, variable, problems);
    if (value !== undefined) values[setting] = value;
  }
  for (const variable of Object.keys(env)) {
    if (variable.startsWith(PREFIX) && !known.has(variable))
      problems.push(`${variable} is not a setting of this service`);
  }
  const parsed = schema.safeParse(values);
  if (parsed.success && problems.length === 0) return parsed.data;
  for (const issue of parsed.error?.issues ?? []) problems.push(describe(issue, values));
  throw new ConfigurationError([...new Set(problems)]);
}

/**
 * What an environment says of the settings of `schema`, and of nothing else: files are read, so that a process that
 * starts later is told the same.
 * @throws ConfigurationError
 */
export function environmentFor(schema: z.ZodObject, env: Environment): Readonly<Record<string, string>> {
  const problems: string[] = [];
  const values = Object.keys(schema.shape).flatMap((setting) => {
    const variable = variableOf(setting);
    const value = valueOf(env, variable, problems);
    return value === undefined ? [] : [[variable, value] as const];
  });
  if (problems.length > 0) throw new ConfigurationError(problems);
  return Object.fromEntries(values);
}

/** The environment variable of a setting. */
export function variableOf(setting: string): string {
  return PREFIX + setting.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** A line a setting for `--help`: variable, default or "required", description. */
export function describeSettings(schema: z.ZodObject): readonly SettingDescription[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return Object.entries(properties).map(([setting, property]) => {
    const { description = '', default: fallback } = typeof property === 'boolean' ? {} : property;
    return {
      variable: variableOf(setting),
      fallback: required.includes(setting) ? 'required' : typeof fallback === 'string' ? fallback : 'optional',
      description,
    };
  });
}

export interface SettingDescription {
  readonly variable: string;
  readonly fallback: string;
  readonly description: string;
}

function valueOf(env: Environment, variable: string, problems: string[]): string | undefined {
  const direct = env[variable] === '' ? undefined : env[variable];
  const file = env[variable + FILE];
  if (file === undefined || file === '') return direct;
  if (direct !== undefined) problems.push(`${variable} and ${variable}${FILE} are both set; keep one`);
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    problems.push(`${variable}${FILE}: cannot read ${file} (${reasonOf(error)})`);
    return direct;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
}

/** Values are not quoted: a setting may be a secret. */
function describe(issue: z.core.$ZodIssue, values: Readonly<Record<string, string>>): string {
  const setting = String(issue.path[0] ?? '');
  if (setting === '') return issue.message;
  if (!Object.hasOwn(values, setting) && issue.code === 'invalid_type') return `${variableOf(setting)} is missing`;
  return `${variableOf(setting)} ${issue.message}`;
}
