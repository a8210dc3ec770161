import { isFieldName, isRefused, refuse, trimBlanks, type Refused } from '@sigv4-keyd/sigv4-core';
import { textOf } from './text-of.js';

/** What is said of one part of a form. */
export interface PartHead {
  /** In lower case. */
  readonly name: string;
  /** The file's alone. */
  readonly filename?: string;
  /** Bytes, where the part states them. */
  readonly length?: number;
}

const LINE = /^([A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)$/;
// The name comes first, and no value holds what parts parameters: some readers look for the first name="…", others part
// the line at every ";".
const VALUE = '(?:"([^"\\\\;]*)"|([A-Za-z0-9._-]+))';
const DISPOSITION = new RegExp(`^form-data;[\\t ]*name=${VALUE}(?:;[\\t ]*filename=${VALUE})?$`);
// A value in another character set is another value to parsers that decode it.
const PLAIN_TEXT = /^text\/plain(?:;[\t ]*charset="?(?:utf-8|us-ascii)"?)?$/i;
// Any but a form of its own, which some readers take apart as well.
const FILE_TYPE = /^(?!multipart\/)[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:[\t ]*;.*)?$/i;
const IDENTITY = /^(?:7bit|8bit|binary)$/i;
const LENGTH = /^(?:0|[1-9][0-9]{0,14})$/;

/**
 * Reads the lines of a part's head (latin1, without the empty line). Parsers differ in how they take folded lines,
 * doubled and unknown headers, escapes, `filename*` and encodings: all of these are refused.
 */
export function readPartHead(text: string): PartHead | Refused {
  const headers = new Map<string, string>();
  for (const line of text.split('\r\n')) {
    const [, rawName, value] = LINE.exec(line) ?? [];
    if (rawName === undefined || value === undefined) return malformed('a line of a part');
    const name = rawName.toLowerCase();
    if (!KNOWN.has(name)) return malformed('an unknown header of a part');
    if (headers.has(name)) return malformed(`${name} is doubled`);
    headers.set(name, trimBlanks(value));
  }
  const disposition = readDisposition(headers.get('content-disposition') ?? '');
  if (isRefused(disposition)) return disposition;
  const { name, filename } = disposition;
  const isFile = name === 'file';
  if (!isFile && filename !== undefined) return malformed(`${name}: a filename`);
  const type = headers.get('content-type');
  const isTypeRead = type === undefined || (isFile ? FILE_TYPE : PLAIN_TEXT).test(type);
  if (!isTypeRead) return malformed(`${name}: content-type`);
  const encoding = headers.get('content-transfer-encoding');
  if (encoding !== undefined && !IDENTITY.test(encoding)) return malformed(`${name}: content-transfer-encoding`);
  const length = headers.get('content-length');
  if (length === undefined) return disposition;
  return LENGTH.test(length) ? { ...disposition, length: Number(length) } : malformed(`${name}: content-length`);
}

const KNOWN: ReadonlySet<string> = new Set([
  'content-disposition',
  'content-length',
  'content-transfer-encoding',
  'content-type',
]);

/** `form-data; name="NAME"; filename="FILENAME"` */
function readDisposition(value: string): Pick<PartHead, 'name' | 'filename'> | Refused {
  const [whole, quotedName, plainName, quotedFilename, plainFilename] = DISPOSITION.exec(value) ?? [];
  if (whole === undefined) return malformed('content-disposition');
  const name = quotedName ?? plainName ?? '';
  if (!isFieldName(name)) return malformed('the name of a field');
  const rawFilename = quotedFilename ?? plainFilename;
  if (rawFilename === undefined) return { name: name.toLowerCase() };
  const filename = textOf(Buffer.from(rawFilename, 'latin1'));
  return filename === undefined ? malformed('filename: not UTF-8') : { name: name.toLowerCase(), filename };
}

function malformed(detail: string): Refused {
  return refuse('malformed-form', detail);
}
