import { createSecretKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseRecoveryPublicKey } from '@sigv4-keyd/hop-protocol';
import { z } from 'zod';
import { CommandError, usageError } from '../../../command-line/command-error.js';
import { defineCommand } from '../../../command-line/define-command.js';
import { option } from '../../../command-line/option.js';
import type { Surroundings } from '../../../command-line/surroundings.js';
import { initToken, type Origin } from '../../../custody/token-ceremony.js';
import { facts } from '../../../presentation/table.js';
import { askHidden } from '../../../terminal/prompt.js';

const WRAPPED_FILE = 'wrapped.txt';
const file = z.string().min(1, 'must name a file');
const label = z.string().min(1, 'must not be empty').max(32, 'must have at most 32 letters');

const options = z.strictObject({
  module: option(file, { value: 'file', about: 'the PKCS#11 module of the token' }),
  token: option(label, { value: 'label', about: 'label of the token' }),
  key: option(label, { value: 'label', about: 'label for the two keys' }),
  pinFile: option(file.optional(), { value: 'file', about: 'file that holds the PIN; it is asked for otherwise' }),
  recoveryKey: option(file.optional(), {
    value: 'file',
    about: 'recovery.pub: make the keys here, and keep them wrapped for it',
  }),
  out: option(file.default(WRAPPED_FILE), {
    value: 'file',
    about: `with --recovery-key: where to put the wrapped key; default ${WRAPPED_FILE}`,
  }),
  custodyKey: option(file.optional(), {
    value: 'file',
    about: 'custody.key that keydctl custody recovery restore wrote: put this one in',
  }),
});

export const init = defineCommand({
  name: 'init',
  summary: 'put the keys that seal the secrets into a token',
  description:
    'Makes an AES key and an HMAC key in the token, which never leave it, and tries them. With --recovery-key they ' +
    'are made on this machine, which has to be offline, and a wrapped copy is kept: a lost token can be replaced. ' +
    'Without it, only the means of the token itself can copy them.',
  options,
  examples: [
    'keydctl custody pkcs11 init --module /usr/lib/softhsm/libsofthsm2.so --token keyd --key custody-2026',
    'keydctl custody pkcs11 init --module … --token keyd --key custody-2026 --recovery-key recovery.pub',
  ],
  async run({ options: given, surroundings }) {
    const { module, token, key } = given;
    const origin = await originOf(given);
    const pin = await readPin(surroundings, given.pinFile);
    const custodyKey = await initToken({ module, token, key, pin, origin });
    const wrapped = origin.from === 'here' ? origin.wrappedFile : undefined;
    return {
      document: { custodyKey, token, key, ...(wrapped !== undefined && { wrapped }) },
      text: (paint) =>
        facts(paint, [
          ['custody key', paint.bold(custodyKey)],
          ['token', `${token} (masters: KEYD_PKCS11_TOKEN)`],
          ['label of the keys', `${key} (masters: KEYD_PKCS11_KEY)`],
          ...(wrapped === undefined ? [] : [['wrapped', `${wrapped}: keep it with your backups`] as const]),
        ]),
    };
  },
});

async function originOf({ recoveryKey, custodyKey, out }: z.output<typeof options>): Promise<Origin> {
  if (recoveryKey !== undefined && custodyKey !== undefined) {
    throw usageError('--recovery-key and --custody-key are both given', 'Keep one: a new key, or one had back');
  }
  if (recoveryKey !== undefined) {
    const recovery = parseRecoveryPublicKey(await readFile(recoveryKey, 'utf8'));
    if (recovery) return { from: 'here', recovery, wrappedFile: out };
    throw refused(`${recoveryKey} has no recovery key`, 'Give recovery.pub of keydctl custody recovery create');
  }
  if (custodyKey === undefined) return { from: 'token' };
  return { from: 'custody-key', custodyKey: await readCustodyKey(custodyKey) };
}

async function readCustodyKey(from: string): Promise<KeyObject> {
  const text = (await readFile(from, 'utf8')).trim();
  const bytes = Buffer.from(text, 'base64');
  try {
    if (bytes.length === 32 && bytes.toString('base64') === text) return createSecretKey(bytes);
  } finally {
    bytes.fill(0);
  }
  throw refused(`${from} has no custody key`, 'Give the file that keydctl custody recovery restore wrote');
}

async function readPin(surroundings: Surroundings, from: string | undefined): Promise<string> {
  if (from === undefined) return askHidden(surroundings, 'PIN of the token (not shown): ');
  return (await readFile(from, 'utf8')).replace(/\r?\n$/, '');
}

function refused(message: string, next: string): CommandError {
  return new CommandError('failed', 'custody-refused', message, next);
}
