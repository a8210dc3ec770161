import { isAccessKeyId } from '@sigv4-keyd/sigv4-core';
import { usageError } from '../command-line/command-error.js';

/** The access key id among the positional arguments. */
export function accessKeyIdOf([text = '']: readonly string[]): string {
  return checked(text);
}

/** The access key ids that the positional arguments are, each once. */
export function accessKeyIdsOf(texts: readonly string[]): readonly string[] {
  return [...new Set(texts.map(checked))];
}

function checked(text: string): string {
  if (isAccessKeyId(text)) return text;
  // Not quoted: a secret put here by mistake must not be repeated.
  throw usageError('the access key id is not 3 to 128 letters, digits or underscores', 'See keydctl access-key list');
}
