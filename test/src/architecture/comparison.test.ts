import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import t from 'tap';
import ts from 'typescript';

/**
 * A signature is compared in constant time, in one place, and in a second one that is plainer, which requests of no
 * known shape take and the first is tested against. What could make an expected signature is imported by the
 * files named here and no others: there is nothing elsewhere that a presented one could be compared with.
 */
const IMPORTED_BY: Readonly<Record<string, readonly string[]>> = {
  timingSafeEqual: ['packages/sigv4-core/src/reference/signature.ts', 'packages/sigv4-core/src/signature.ts'],
  // Of a signing key.
  macHexWithKSigning: ['packages/sigv4-core/src/signature.ts'],
  macWithKSigning: ['packages/sigv4-core/src/reference/signature.ts'],
  HmacPads: ['packages/sigv4-core/src/key-ladder.ts'],
  hmacOnce: ['packages/sigv4-core/src/key-ladder.ts'],
  // HMAC itself: the steps of the ladder, and the derivation of a key pair.
  createHmac: [
    'packages/sigv4-core/src/ecdsa-key-pair.ts',
    'packages/sigv4-core/src/hmac-once.ts',
    'packages/sigv4-core/src/key-ladder.ts',
  ],
  // As text: those that sign, and the chain, which verifies with signatureMatches.
  signatureOf: [
    'packages/sigv4-core/src/chunked/sign-chunked.ts',
    'packages/sigv4-core/src/chunked/signature-chain.ts',
    'packages/sigv4-core/src/signer.ts',
  ],
};

/** All that runs where requests are verified. */
const VERIFYING = [
  'packages/edge-keys',
  'packages/payload-streams',
  'packages/sigv4-answers',
  'packages/sigv4-core',
  'packages/sigv4-server',
  'services/edge-verifier',
  'services/region-keyd',
];

const root = process.cwd();
const files = VERIFYING.flatMap((folder) =>
  readdirSync(join(root, folder, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(root, folder, 'src', name)),
);

function importedNames(file: string): readonly string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest);
  return source.statements.flatMap((statement) => {
    const bindings = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : undefined;
    if (!bindings) return [];
    if (ts.isNamespaceImport(bindings)) return [`* as ${bindings.name.text}`];
    return bindings.elements.map(({ name, propertyName }) => (propertyName ?? name).text);
  });
}

t.test('what makes an expected signature is used where it is said to be, and nowhere else', (t) => {
  const imports = files.map((file) => ({ file: relative(root, file), names: importedNames(file) }));
  for (const [name, expected] of Object.entries(IMPORTED_BY)) {
    const found = imports.filter(({ names }) => names.includes(name)).map(({ file }) => file);
    t.strictSame(found.sort(), expected, name);
  }
  const whole = imports.filter(({ names }) => names.some((name) => name.startsWith('* as')));
  t.strictSame(whole, [], 'no module is imported whole, which would hide what is used of it');
  t.end();
});

/** All that stands in signatureMatches. */
const COMPARISONS: Readonly<Record<string, readonly string[]>> = {
  'packages/sigv4-core/src/reference/signature.ts': [
    '  if (!isSignature(presented)) return false;',
    "  return timingSafeEqual(macWithKSigning(key, stringToSign), Buffer.from(presented, 'hex'));",
  ],
  'packages/sigv4-core/src/signature.ts': [
    '  if (presented.length !== HEX_DIGITS) return false;',
    '  // In UTF-8 no other text has the bytes of these digits.',
    "  sides.write(macHexWithKSigning(key, stringToSign) + presented, 'utf8');",
    '  const areEqual = timingSafeEqual(expectedSide, presentedSide);',
    '  sides.fill(0);',
    '  return areEqual;',
  ],
};

t.test('the comparisons take the whole of both, and give nothing but yes or no', (t) => {
  for (const [file, lines] of Object.entries(COMPARISONS)) {
    const text = readFileSync(join(root, file), 'utf8');
    const body = /export function signatureMatches\([^)]*\): boolean \{\n([\s\S]*?)\n\}/.exec(text)?.[1];
    t.equal(body, lines.join('\n'), file);
    const others = text.replaceAll(/(?:text|presented)\.length [!=]== HEX_DIGITS/g, '');
    t.notMatch(others, /===|==|\.equals\(|localeCompare|compare\(/, 'no other comparison in the file');
  }
  t.end();
});
