import { isRefused, refuse } from '../refusal.js';
import type { Refused } from '../refusal.js';
import { trimBlanks } from '../trim-blanks.js';
import type { FieldCondition, LengthRange } from './condition.js';
import { readingsOf } from './filename-variable.js';
import { isOutsidePolicy } from './form-fields.js';
import type { FormFields, PostForm } from './form-fields.js';
import type { PostPolicy } from './parse-post-policy.js';

/** How long the file may be by all ranges of the policy, bytes, both ends included. */
export type FileLength = Pick<LengthRange, 'least' | 'most'>;

/**
 * Whether the policy allows the fields: each is covered by a condition, and all conditions are met. The bucket counts
 * as a field, wherever the request names it, so that a form cannot be sent to another one. What is left to be checked
 * when the file has come is its length.
 */
export function judgeForm(form: PostForm, bucket: string, { conditions }: PostPolicy): FileLength | Refused {
  const fields: FormFields = new Map([['bucket', bucket], ...form.fields]);
  if (fields.get('bucket') !== bucket) return refuse('post-policy-condition-failed', 'eq $bucket');
  const ofFields = conditions.filter((condition) => condition.kind !== 'content-length-range');
  const covered = new Set(ofFields.map(({ field }) => field));
  const extra = [...fields.keys()].find((name) => !covered.has(name) && !isOutsidePolicy(name));
  if (extra !== undefined) return refuse('form-field-not-in-policy', extra);
  for (const condition of ofFields) {
    const value = fields.get(condition.field);
    const readings = value === undefined ? [] : readingsOf(condition.field, value, form);
    if (isRefused(readings)) return readings;
    const isMet = readings.length > 0 && readings.every((reading) => meets(condition, reading));
    if (!isMet) return refuse('post-policy-condition-failed', `${condition.kind} $${condition.field}`);
  }
  const ranges = conditions.filter((condition) => condition.kind === 'content-length-range');
  return {
    least: Math.max(0, ...ranges.map(({ least }) => least)),
    most: Math.min(Number.POSITIVE_INFINITY, ...ranges.map(({ most }) => most)),
  };
}

function meets({ kind, field, value }: FieldCondition, reading: string): boolean {
  if (kind === 'eq') return reading === value;
  // The one field whose value is a list: each element has to begin so.
  const elements = field === 'content-type' ? reading.split(',').map(trimBlanks) : [reading];
  return elements.every((element) => element.startsWith(value));
}
