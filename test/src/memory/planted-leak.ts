// Loaded into a service before its own code: keeps what a leak would keep, so that the search is seen to find it.
import { readFileSync } from 'node:fs';

const path = process.env['PLANTED_FILE'];
if (path === undefined) throw new Error('PLANTED_FILE names the bytes that are to be kept');
Reflect.set(globalThis, Symbol('planted'), readFileSync(path));
