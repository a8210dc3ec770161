// Makes a key and lets its buffer be asked for as native code does; or derives with it as with a secret, for a day.
// Overwrites what is its own to overwrite, unless it is told to keep it, and stays.
import { bytesApart, kRegionBytesOfSecret } from '@sigv4-keyd/sigv4-core';
import { day } from '../support/days.js';
import { byteOfKey, DATE, KEY_BYTES, REGION } from './made-up-key.js';

const [, , what] = process.argv;
const key = bytesApart(KEY_BYTES);
for (let at = 0; at < KEY_BYTES; at += 1) key[at] = byteOfKey(at);
const { byteLength } = key.buffer;
if (what === 'derived') kRegionBytesOfSecret(key, day(DATE), REGION).fill(0);
if (what !== 'kept') key.fill(0);
process.stdout.write(`${byteLength}\n`);
process.stdin.resume().once('end', () => key.fill(0));
