import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

/** Every way in which docs/deploy.md brings the stack up: the files, and the profiles that are asked for. */
export const VARIANTS = {
  'one region': { files: [], profiles: [] },
  'two regions': { files: [], profiles: ['two-regions'] },
  replicas: { files: ['replicas'], profiles: [] },
  'replicas in two regions': { files: ['replicas'], profiles: ['two-regions'] },
  'an HSM': { files: ['hsm'], profiles: [] },
  'a signer of its own': { files: ['external-signer'], profiles: [] },
  'a deputy': { files: ['deputy'], profiles: [] },
  observability: { files: ['observability'], profiles: [] },
  'observability in two regions': { files: ['observability'], profiles: ['two-regions'] },
} as const satisfies Readonly<Record<string, Variant>>;

export interface Variant {
  readonly files: readonly string[];
  readonly profiles: readonly string[];
}

/** The files that Compose is given for a variant, from the root of the repository. */
export function filesOf({ files }: Variant): readonly string[] {
  return ['docker-compose.yml', ...files.map((file) => `deploy/compose/${file}.yml`)];
}

const limit = z.union([z.string(), z.number()]);
const texts = z.array(z.string());
const aliases = z.object({ aliases: texts.optional() }).nullable();
const networks = z.union([
  texts.transform((names) => Object.fromEntries(names.map((name) => [name, null]))),
  z.record(z.string(), aliases),
]);

const service = z.object({
  image: z.string(),
  build: z.object({ args: z.record(z.string(), z.string()).optional(), target: z.string().optional() }).optional(),
  user: z.string().optional(),
  profiles: texts.default([]),
  restart: z.string().default('no'),
  read_only: z.boolean().default(false),
  privileged: z.boolean().default(false),
  cap_drop: texts.default([]),
  cap_add: texts.default([]),
  security_opt: texts.default([]),
  devices: z.array(z.unknown()).default([]),
  cpus: limit.optional(),
  mem_limit: limit.optional(),
  pids_limit: limit.optional(),
  ulimits: z.object({ core: z.number() }).optional(),
  logging: z.object({ driver: z.string(), options: z.record(z.string(), z.string()) }).optional(),
  healthcheck: z.object({ test: texts.optional(), disable: z.boolean().optional() }).optional(),
  environment: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).default({}),
  volumes: texts.default([]),
  tmpfs: texts.default([]),
  ports: texts.default([]),
  networks: networks.default({}),
  network_mode: z.string().optional(),
  pid: z.string().optional(),
  ipc: z.string().optional(),
  userns_mode: z.string().optional(),
});

const stack = z.object({
  services: z.record(z.string(), service),
  networks: z.record(z.string(), z.object({ internal: z.boolean().default(false) }).nullable()),
});

export type StackService = z.output<typeof service>;
export type Stack = z.output<typeof stack>;

/**
 * A variant as Compose renders it, without Compose: the files one over the other, with the defaults of all settings.
 * Only what is enabled by the profiles is in it, and `keydctl`, which people run by name.
 */
export function render(variant: Variant): Stack {
  const merged = filesOf(variant)
    .map((file): unknown => parse(withDefaults(readFileSync(file, 'utf8')), { merge: true }))
    .reduce((below, above) => merge(below, above, []));
  return enabled(stack.parse(merged), variant);
}

function enabled({ services, networks }: Stack, { profiles }: Variant): Stack {
  const asked = ['operator', ...profiles];
  const chosen = Object.entries(services).filter(
    ([, one]) => one.profiles.length === 0 || one.profiles.some((profile) => asked.includes(profile)),
  );
  return { services: Object.fromEntries(chosen), networks };
}

/** `${NAME:-default}` is the default. */
function withDefaults(text: string): string {
  return text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
}

/** Lists that Compose replaces; all others grow. */
const REPLACED = ['command', 'entrypoint', 'test'];

function merge(below: unknown, above: unknown, path: readonly string[]): unknown {
  if (path.at(-1) === 'networks' && path.length === 3) {
    return mergeMaps(networks.parse(below), networks.parse(above), path);
  }
  const lists = z.tuple([z.array(z.unknown()), z.array(z.unknown())]).safeParse([below, above]);
  if (lists.success) return REPLACED.includes(path.at(-1) ?? '') ? above : [...new Set(lists.data.flat())];
  return isMap(below) && isMap(above) ? mergeMaps(below, above, path) : above;
}

function mergeMaps(below: Map, above: Map, path: readonly string[]): Map {
  const both = Object.entries(above).map(([name, value]): [string, unknown] => [
    name,
    Object.hasOwn(below, name) ? merge(below[name], value, [...path, name]) : value,
  ]);
  return { ...below, ...Object.fromEntries(both) };
}

type Map = Readonly<Record<string, unknown>>;

function isMap(value: unknown): value is Map {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
