import type { BenchPart } from './bench-part.js';

type Load = () => Promise<{ readonly part: BenchPart }>;

/** Every part, in the order in which all are run: what is measured in one process alone comes first. */
export const PARTS: Readonly<Record<string, Load>> = {
  verification: () => import('./verification/part.js'),
  derivation: () => import('./derivation/part.js'),
  sessions: () => import('./sessions/part.js'),
  'access-keys': () => import('./access-keys/part.js'),
  restart: () => import('./restart/part.js'),
  return: () => import('./return-of-edges/part.js'),
  signer: () => import('./signer/part.js'),
  http: () => import('./http/part.js'),
  cores: () => import('./cores/part.js'),
  rollover: () => import('./rollover/part.js'),
  revocation: () => import('./revocation/part.js'),
  attack: () => import('./attack/part.js'),
  'cold-start': () => import('./cold-start/part.js'),
};

/** A part by its name. */
export async function loadPart(name: string): Promise<BenchPart> {
  const load = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined;
  if (!load) throw new Error(`there is no part ${name}`);
  const { part } = await load();
  return part;
}
