import type { Dice } from './dice.js';

/** What mutations may draw from. */
export interface Material {
  readonly dice: Dice;
  readonly words: readonly Buffer[];
  /** Other inputs, to take pieces of. */
  readonly others: readonly Buffer[];
  readonly mostBytes: number;
}

type Mutation = (input: Buffer, material: Material) => Buffer;

// What ends lines, parts lists, quotes, escapes, or lies at the edge of a range of bytes.
const TELLING_BYTES = Buffer.from('\0\t\n\r "#%&\'*+,-./09:;<=>?@AZ[\\]_az{|}~\x7f\x80\x9f\xa0\xff', 'latin1');
const TELLING_NUMBERS = [
  ...['0', '00', '1', '-1', '+1', '1.5', '1e3', '0x10', 'NaN', '9', '10', '255', '256', '65535', '65536', '2147483648'],
  ...['4294967296', '9007199254740991', '9007199254740992', '9999999999999999', '18446744073709551616', '20260229'],
];
const LONGEST_PIECE = 32;

const flipBit: Mutation = (input, { dice }) => withByte(input, dice, (byte) => byte ^ (1 << dice.below(8)));
const anyByte: Mutation = (input, { dice }) => withByte(input, dice, () => dice.below(256));
const tellingByte: Mutation = (input, { dice }) =>
  withByte(input, dice, () => TELLING_BYTES[dice.below(TELLING_BYTES.length)] ?? 0);
const nextByte: Mutation = (input, { dice }) => withByte(input, dice, (byte) => byte + (dice.below(2) === 0 ? 1 : -1));

const insertByte: Mutation = (input, { dice }) =>
  replaced(
    input,
    dice.below(input.length + 1),
    0,
    TELLING_BYTES.subarray(dice.below(TELLING_BYTES.length)).subarray(0, 1),
  );

const insertWord: Mutation = (input, { dice, words }) =>
  replaced(input, dice.below(input.length + 1), 0, dice.oneOf(words) ?? Buffer.alloc(0));

const overwriteWithWord: Mutation = (input, { dice, words }) => {
  const word = dice.oneOf(words) ?? Buffer.alloc(0);
  return replaced(input, dice.below(input.length + 1), word.length, word);
};

const remove: Mutation = (input, { dice }) => {
  const { at, length } = piece(input, dice);
  return replaced(input, at, length, Buffer.alloc(0));
};

const copy: Mutation = (input, { dice }) => {
  const { at, length } = piece(input, dice);
  return replaced(input, dice.below(input.length + 1), 0, input.subarray(at, at + length));
};

/** Work that grows faster than its input shows in long runs of one thing. */
const repeat: Mutation = (input, { dice, mostBytes }) => {
  const { at, length } = piece(input, dice);
  if (length === 0) return input;
  const times = 1 + dice.below(Math.max(1, Math.floor((mostBytes - input.length) / length)));
  return replaced(input, at, 0, Buffer.alloc(length * times, input.subarray(at, at + length)));
};

const takeFromAnother: Mutation = (input, { dice, others }) => {
  const other = dice.oneOf(others) ?? input;
  const { at, length } = piece(other, dice);
  return replaced(input, dice.below(input.length + 1), dice.below(length + 1), other.subarray(at, at + length));
};

const goOnAsAnother: Mutation = (input, { dice, others }) => {
  const other = dice.oneOf(others) ?? input;
  return Buffer.concat([input.subarray(0, dice.below(input.length + 1)), other.subarray(dice.below(other.length + 1))]);
};

const changeCase: Mutation = (input, { dice }) => {
  const { at, length } = piece(input, dice);
  const text = input.toString('latin1', at, at + length);
  const upper = text.replace(/[a-z]/g, (letter) => letter.toUpperCase());
  return replaced(input, at, length, upper === text ? text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : upper);
};

const changeNumber: Mutation = (input, { dice }) => {
  const found = dice.oneOf([...input.toString('latin1').matchAll(/[0-9]+/g)]);
  return found ? replaced(input, found.index, found[0].length, dice.oneOf(TELLING_NUMBERS) ?? '') : input;
};

const MUTATIONS: readonly Mutation[] = [
  ...[flipBit, anyByte, tellingByte, nextByte, insertByte, insertWord, overwriteWithWord],
  ...[remove, copy, repeat, takeFromAnother, goOnAsAnother, changeCase, changeNumber],
];

/** An input that differs from this one by some mutations. */
export function mutated(input: Buffer, material: Material): Buffer {
  let changed = input;
  const { dice } = material;
  const times = 1 << Math.min(dice.below(4), dice.below(4));
  for (let time = 0; time < times; time += 1) changed = (dice.oneOf(MUTATIONS) ?? remove)(changed, material);
  return changed.subarray(0, material.mostBytes);
}

function withByte(input: Buffer, dice: Dice, change: (byte: number) => number): Buffer {
  if (input.length === 0) return Buffer.of(dice.below(256));
  const changed = Buffer.from(input);
  const at = dice.below(input.length);
  changed[at] = change(changed[at] ?? 0) & 0xff;
  return changed;
}

function replaced(input: Buffer, at: number, length: number, by: Buffer | string): Buffer {
  const bytes = typeof by === 'string' ? Buffer.from(by, 'latin1') : by;
  return Buffer.concat([input.subarray(0, at), bytes, input.subarray(at + length)]);
}

function piece(input: Buffer, dice: Dice): { readonly at: number; readonly length: number } {
  const at = dice.below(input.length + 1);
  return { at, length: dice.below(Math.min(LONGEST_PIECE, input.length - at) + 1) };
}
