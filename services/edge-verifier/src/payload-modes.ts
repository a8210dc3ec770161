import { list } from '@sigv4-keyd/service-skeleton';
import { pathRuleOf, type PayloadModeKind } from '@sigv4-keyd/sigv4-core';
import { z } from 'zod';

/** The payload modes that an edge can verify. */
const MODES = [
  'exact',
  'body',
  'unsigned',
  'streaming-signed',
  'streaming-signed-trailer',
  'streaming-unsigned-trailer',
] as const satisfies readonly PayloadModeKind[];

type Mode = (typeof MODES)[number];

/** `auto`, or the modes that are accepted, separated by commas. */
export const payloadModes = list.transform((words, context): 'auto' | readonly Mode[] => {
  if (words.length === 1 && words[0] === 'auto') return 'auto';
  const modes = words.filter(isMode);
  if (modes.length === words.length) return modes;
  context.issues.push({ code: 'custom', input: words, message: `must be auto, or several of ${MODES.join(', ')}` });
  return z.NEVER;
});

/**
 * The modes that a service accepts. Left to itself, S3 takes what its clients send by default, which is all but bodies
 * that nothing binds to the signature; the clients of other services hash theirs.
 */
export function acceptedModes(setting: 'auto' | readonly Mode[], service: string): ReadonlySet<PayloadModeKind> {
  if (setting !== 'auto') return new Set(setting);
  if (pathRuleOf(service) === 's3') return new Set(MODES.filter((mode) => mode !== 'unsigned'));
  return new Set(['exact', 'body']);
}

function isMode(word: string): word is Mode {
  return MODES.some((mode) => mode === word);
}
