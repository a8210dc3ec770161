import { refuse } from '../refusal.js';
import type { Refused } from '../refusal.js';
import type { PostForm } from './form-fields.js';

/** Stands for the name of the file in the value of a field. */
export const FILENAME_VARIABLE = '${filename}';

// Stores cut paths off at either slash, or do not; browsers write a quote or a line break in a name as %22, %0D, %0A,
// which some stores decode.
const READ_IN_SEVERAL_WAYS = /[/\\]|%(?:22|0[DdAa])/;

/**
 * What an upstream may take for the value of a field: `${filename}` stands for the name of the file, but stores put it
 * into every field, into the key alone, or nowhere. What the policy is to allow, it has to allow in every reading.
 */
export function readingsOf(name: string, value: string, { filename }: PostForm): readonly string[] | Refused {
  const at = value.indexOf(FILENAME_VARIABLE);
  if (at < 0) return [value];
  const rest = value.slice(at + FILENAME_VARIABLE.length);
  if (rest.includes(FILENAME_VARIABLE)) return refuse('malformed-form', `${name}: \${filename} more than once`);
  if (READ_IN_SEVERAL_WAYS.test(filename)) return refuse('malformed-form', 'filename: a path, or an escaped character');
  return [value, `${value.slice(0, at)}${filename}${rest}`];
}
