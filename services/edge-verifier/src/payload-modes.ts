import { list } from '@sigv4-keyd/service-skeleton';
import { defaultModesOf, VERIFIABLE_MODES, type VerifiableMode } from '@sigv4-keyd/sigv4-core';
import { z } from 'zod';

/** `auto`, or the modes that are accepted, separated by commas. */
export const payloadModes = list.transform((words, context): 'auto' | readonly VerifiableMode[] => {
  if (words.length === 1 && words[0] === 'auto') return 'auto';
  const modes = words.filter(isMode);
  if (modes.length === words.length) return modes;
  const message = `must be auto, or several of ${VERIFIABLE_MODES.join(', ')}`;
  context.issues.push({ code: 'custom', input: words, message });
  return z.NEVER;
});

/** The modes that a service accepts. */
export function acceptedModes(setting: 'auto' | readonly VerifiableMode[], service: string): readonly VerifiableMode[] {
  return setting === 'auto' ? defaultModesOf(service) : setting;
}

function isMode(word: string): word is VerifiableMode {
  return VERIFIABLE_MODES.some((mode) => mode === word);
}
