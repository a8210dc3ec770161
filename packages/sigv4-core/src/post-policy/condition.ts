import { isFieldName, isOutsidePolicy } from './form-fields.js';

/** What a policy asks of a form. Field names are in lower case: forms and policies spell them in any. */
export type Condition = FieldCondition | LengthRange;

export interface FieldCondition {
  readonly kind: 'eq' | 'starts-with';
  readonly field: string;
  /** The whole value, or its beginning. */
  readonly value: string;
}

/** How long the file may be, bytes, both ends included. */
export interface LengthRange {
  readonly kind: 'content-length-range';
  readonly least: number;
  readonly most: number;
}

/** Why an element of `conditions` is none, in words for the detail of a refusal. */
export interface Misread {
  readonly misread: string;
}

// With a beginning alone, whoever holds the form could choose where and when it is good.
const EXACT_ONLY: ReadonlySet<string> = new Set([
  'bucket',
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-security-token',
]);

const WHOLE_NUMBER = /^(?:0|[1-9][0-9]{0,15})$/;

/** Reads one element of `conditions`, which may hold several conditions. */
export function parseCondition(element: unknown): readonly Condition[] | Misread {
  if (Array.isArray(element)) {
    const parts: readonly unknown[] = element;
    const read = parseOperation(parts[0], parts.slice(1));
    return 'misread' in read ? read : [read];
  }
  if (typeof element !== 'object' || element === null) return misread('a condition is neither an object nor an array');
  const members: readonly (readonly [string, unknown])[] = Object.entries(element);
  if (members.length === 0) return misread('a condition is empty');
  const read = members.map(([name, value]) => fieldCondition('eq', name, value));
  return read.find((one) => 'misread' in one) ?? read.filter((one) => 'kind' in one);
}

/** The condition as policies write it. */
export function formatCondition(condition: Condition): readonly (string | number)[] {
  return condition.kind === 'content-length-range'
    ? [condition.kind, condition.least, condition.most]
    : [condition.kind, `$${condition.field}`, condition.value];
}

function parseOperation(operator: unknown, operands: readonly unknown[]): Condition | Misread {
  if (typeof operator !== 'string') return misread('a condition does not begin with an operator');
  if (operands.length !== 2) return misread('a condition has not three parts');
  const [first, second] = operands;
  const kind = operator.toLowerCase();
  if (kind === 'content-length-range') return lengthRange(first, second);
  if (kind !== 'eq' && kind !== 'starts-with') return misread('an operator is unknown');
  if (typeof first !== 'string' || !first.startsWith('$')) return misread(`${kind}: the field does not begin with "$"`);
  return fieldCondition(kind, first.slice(1), second);
}

function fieldCondition(kind: FieldCondition['kind'], name: string, value: unknown): FieldCondition | Misread {
  if (!isFieldName(name)) return misread(`${kind}: the name of a field is malformed`);
  const field = name.toLowerCase();
  if (typeof value !== 'string') return misread(`${kind} $${field}: the value is no string`);
  if (isOutsidePolicy(field) && !field.startsWith('x-ignore-')) return misread(`${kind} $${field}: never in a policy`);
  if (kind === 'starts-with' && EXACT_ONLY.has(field)) return misread(`starts-with $${field}: eq alone is possible`);
  return { kind, field, value };
}

function lengthRange(first: unknown, second: unknown): LengthRange | Misread {
  const least = wholeNumber(first);
  const most = wholeNumber(second);
  if (least === undefined || most === undefined || least > most) {
    return misread('content-length-range: not two whole numbers in ascending order');
  }
  return { kind: 'content-length-range', least, most };
}

/** Some signers write the numbers as strings. */
function wholeNumber(value: unknown): number | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || !WHOLE_NUMBER.test(text)) return undefined;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : undefined;
}

function misread(words: string): Misread {
  return { misread: words };
}
