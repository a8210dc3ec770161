import { readConfiguration, related, variableOf, type Environment } from '@sigv4-keyd/service-skeleton';
import { z } from 'zod';
import { EDGE_LIFETIMES } from './lifetimes.js';
import { edgeKeysSettings, type EdgeKeysSettings } from './settings.js';

type Setting = keyof typeof edgeKeysSettings;

/** Each setting by its name, or by its name and `File` where a file holds the value; written as in the environment. */
export type EdgeKeysInput = Readonly<Partial<Record<Setting | `${Setting}File`, string>>>;

const configuration = related(z.object(edgeKeysSettings), EDGE_LIFETIMES);

/**
 * Reads the settings from variables, `KEYD_REGIONS` and so on. Any other variable with this prefix is a problem, too: a
 * misspelt setting must not silently fall back to its default.
 * @throws ConfigurationError, with all problems
 */
export function edgeKeysFromEnvironment(env: Environment): EdgeKeysSettings {
  return readConfiguration(configuration, env);
}

/**
 * Reads the settings from an object: `regions` is what KEYD_REGIONS is in the environment, by which name problems are
 * told.
 * @throws ConfigurationError, with all problems
 */
export function edgeKeysFrom(input: EdgeKeysInput): EdgeKeysSettings {
  const given = Object.entries(input).map(([setting, value]) => [variableOf(setting), value] as const);
  return edgeKeysFromEnvironment(Object.fromEntries(given));
}
