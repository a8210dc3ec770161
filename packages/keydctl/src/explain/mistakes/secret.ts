import type { Family } from '../mistake.js';
import type { KeyDerivation } from '../derivation.js';

/** The secret as it gets into settings, and the key as it is derived wrongly. */
export const secretMistakes: Family = function* (sketch) {
  const { derivation } = sketch;
  const { secret } = derivation;
  const secrets: readonly (readonly [secret: string, id: string, what: string])[] = [
    [`${secret}\n`, 'secret-newline', 'The secret was used with a line feed at its end.'],
    [`${secret}\r\n`, 'secret-newline', 'The secret was used with a line end (CR LF) at its end.'],
    [`${secret}\r`, 'secret-newline', 'The secret was used with a carriage return at its end.'],
    [` ${secret}`, 'secret-blank', 'The secret was used with a blank before it.'],
    [`${secret} `, 'secret-blank', 'The secret was used with a blank after it.'],
    [`"${secret}"`, 'secret-quoted', 'The secret was used with its quotation marks.'],
    [`'${secret}'`, 'secret-quoted', 'The secret was used with its quotation marks.'],
    [`AWS4${secret}`, 'secret-prefix-twice', 'AWS4 was put before the secret twice.'],
    [
      secret.replaceAll('/', '%2F').replaceAll('+', '%2B').replaceAll('=', '%3D'),
      'secret-encoded',
      'The secret was percent-encoded.',
    ],
    [secret.replaceAll('+', ' '), 'secret-decoded', 'The "+" of the secret became a blank.'],
    [secret.replaceAll('\\', ''), 'secret-escaped', 'The backslashes of the secret got lost.'],
    ['', 'secret-empty', 'The secret was empty.'],
    ['undefined', 'secret-empty', 'The secret was not set: the text "undefined" was used.'],
    ['null', 'secret-empty', 'The secret was not set: the text "null" was used.'],
  ];
  for (const [used, id, what] of secrets) {
    if (used === secret) continue;
    const finding = { id, what, next: 'Give the client exactly the secret, nothing around it.' };
    yield { about: 'secret', sketch: { ...sketch, derivation: { ...derivation, secret: used } }, finding };
  }
  const forms: readonly (readonly [form: KeyDerivation['form'], id: string, what: string])[] = [
    ['no-prefix', 'key-without-prefix', 'The key was derived without AWS4 before the secret.'],
    ['hex', 'key-from-hex', 'The key was derived with the hex text of each step in place of its bytes.'],
  ];
  for (const [form, id, what] of forms) {
    const finding = { id, what, next: 'Derive it as the specification says, or use a library.' };
    yield { about: 'secret', sketch: { ...sketch, derivation: { ...derivation, form } }, finding };
  }
};
