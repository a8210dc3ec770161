import { quoted } from '../finding.js';
import type { Family, Variant } from '../mistake.js';
import { valuesOf, type Case, type Sketch } from '../sketch.js';

/** Signed headers that are not what they were: dropped, changed, or added to the list only. */
export const headerMistakes: Family = function* (sketch, given) {
  for (const name of [...sketch.headers.keys()].slice(0, MOST_HEADERS)) {
    if (name === 'host') continue;
    yield* changed(name, sketch, given);
  }
  const { presented } = given;
  const unsorted = [...sketch.headers].sort(([a], [b]) => (a < b ? -1 : 1));
  if (unsorted.some(([name], at) => name !== presented.signedHeaders[at])) {
    yield {
      about: 'headers',
      sketch: { ...sketch, headers: new Map(unsorted) },
      finding: {
        id: 'headers-order',
        what: 'The list of signed headers is in another order than the headers were signed in.',
        next: 'Sort the signed headers by name, in both places.',
      },
    };
  }
};

const MOST_HEADERS = 50;

function* changed(name: string, sketch: Sketch, { request }: Case): Iterable<Variant> {
  const right = sketch.headers.get(name) ?? '';
  const raw = valuesOf(request.rawHeaders, name);
  const variant = (value: string, id: string, what: string, next: string): Variant => ({
    about: `header ${name}`,
    sketch: { ...sketch, headers: new Map([...sketch.headers, [name, value]]) },
    finding: { id, what, next },
  });
  const isAbsent = raw.length === 0;
  const verb = isAbsent ? 'did not arrive' : 'arrived changed';
  for (const value of likelyValues(name, right, request.body)) {
    if (value === right) continue;
    const id = isAbsent ? 'header-dropped' : 'header-changed';
    const what = `The header ${quoted(name)} ${verb}: it was signed with the value ${quoted(value)}.`;
    yield variant(value, id, what, 'Do not sign it, or find the proxy that touches it.');
  }
  if (isAbsent) return;
  yield variant(
    '',
    'header-added',
    `The header ${quoted(name)} was signed as if it were empty.`,
    'Sign the value that is sent.',
  );
  const asWritten = raw.join(',');
  if (asWritten.trim() !== right) {
    yield variant(
      asWritten.trim(),
      'header-blanks',
      `Blanks inside of the header ${quoted(name)} were not collapsed.`,
      BLANKS,
    );
  }
  if (asWritten !== asWritten.trim()) {
    yield variant(asWritten, 'header-blanks', `Blanks around the header ${quoted(name)} were signed.`, BLANKS);
  }
  if (right.includes(',')) {
    const spaced = right.replace(/, */g, ', ');
    yield variant(
      spaced,
      'header-joined',
      `Values of the header ${quoted(name)} were joined with ", ".`,
      'Join them with "," alone.',
    );
  }
  if (right !== right.toLowerCase()) {
    yield variant(
      right.toLowerCase(),
      'header-lower-case',
      `The value of the header ${quoted(name)} was signed in lower case.`,
      'Sign it as it is sent.',
    );
  }
}

const BLANKS = 'Trim header values, and make each run of blanks one space, before signing.';

const LIKELY: Readonly<Record<string, readonly string[]>> = {
  accept: ['*/*', 'application/json', 'application/xml'],
  'accept-encoding': [
    'identity',
    'gzip',
    'gzip, deflate',
    'gzip, deflate, br',
    'gzip, deflate, br, zstd',
    'deflate, gzip',
  ],
  'cache-control': ['no-cache', 'max-age=0'],
  connection: ['keep-alive', 'Keep-Alive', 'close'],
  'content-encoding': ['gzip', 'aws-chunked', 'utf-8'],
  'content-type': [
    'application/json',
    'application/octet-stream',
    'application/x-amz-json-1.0',
    'application/x-amz-json-1.1',
    'application/x-www-form-urlencoded',
    'application/x-www-form-urlencoded; charset=utf-8',
    'binary/octet-stream',
    'text/plain',
  ],
  expect: ['100-continue'],
  te: ['trailers'],
  'transfer-encoding': ['chunked'],
  'x-forwarded-proto': ['http', 'https'],
};

/** What a header may have said when it was signed. */
function likelyValues(name: string, value: string, body: Buffer | undefined): readonly string[] {
  const known = LIKELY[name] ?? [];
  if (name === 'content-type') {
    const [type = ''] = value.split(';');
    const charsets = ['; charset=utf-8', '; charset=UTF-8', ';charset=utf-8', ';charset=UTF-8'];
    return type === '' ? known : [type.trim(), ...charsets.map((charset) => type.trim() + charset), ...known];
  }
  if (name === 'content-length') return ['0', ...(body === undefined ? [] : [String(body.length)])];
  return known;
}
