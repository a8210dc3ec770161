import { isRefused, refuse, type PostForm, type Refused } from '@sigv4-keyd/sigv4-core';
import { readPartHead, type PartHead } from './part-head.js';
import { textOf } from './text-of.js';

/** The most that S3 takes before the content of the file, framing included, bytes. */
export const LONGEST_FIELDS = 20 * 1024;

const CRLF = Buffer.from('\r\n');
const END_OF_HEAD = Buffer.from('\r\n\r\n');
const CLOSING = Buffer.from('--');
const CLOSING_LINE = Buffer.from('--\r\n');

type Step = 'done' | 'needs-more' | Refused;
type State = 'opening' | 'delimited' | 'head' | 'value' | 'file' | 'closing';

/**
 * Reads a form (RFC 7578) as it arrives, and refuses all that another parser could read in another way: an upstream
 * that saw other fields than these would serve what nobody signed. The two dashes and the boundary may stand nowhere
 * but between two parts, with CRLF on both sides; nothing may come before the first or behind the last one. The file is
 * the last part. What is refused, and why, does not depend on how the bytes are cut.
 */
export class FormReader {
  readonly #delimiter: Buffer;
  readonly #fields = new Map<string, string>();
  #state: State = 'opening';
  #pending: Buffer = Buffer.alloc(0);
  /** Bytes that were taken from `#pending`. */
  #taken = 0;
  #part: PartHead | undefined;
  #form: PostForm | undefined;
  #fileLength = 0;
  #refused: Refused | undefined;

  constructor(boundary: string) {
    this.#delimiter = Buffer.from(`--${boundary}`, 'latin1');
  }

  /** The fields, once the content of the file begins. */
  get form(): PostForm | undefined {
    return this.#form;
  }

  /** Bytes of the file, as many as surely belong to it by now. */
  get fileLength(): number {
    return this.#fileLength;
  }

  /** Takes the next bytes. After a refusal it only repeats it. */
  push(bytes: Buffer): Refused | undefined {
    if (this.#refused) return this.#refused;
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    let step: Step;
    do step = this.#step();
    while (step === 'done');
    if (typeof step === 'object') this.#refused = step;
    return this.#refused;
  }

  /** To be called after the last bytes: a form that lacks its end is none. */
  end(): Refused | undefined {
    const isWhole = this.#state === 'closing' && [CLOSING, CLOSING_LINE].some((end) => end.equals(this.#pending));
    return this.#refused ?? (isWhole ? undefined : malformed('it ends before its last boundary'));
  }

  #step(): Step {
    switch (this.#state) {
      case 'opening':
        return this.#opening();
      case 'delimited':
        return this.#delimited();
      case 'head':
        return this.#head();
      case 'value':
        return this.#value();
      case 'file':
        return this.#file();
      case 'closing':
        return this.#closing();
    }
  }

  #opening(): Step {
    const { length } = this.#delimiter;
    if (this.#pending.length < length) return 'needs-more';
    if (!this.#pending.subarray(0, length).equals(this.#delimiter)) return malformed('it begins with no boundary');
    return this.#take(length, 'delimited');
  }

  #delimited(): Step {
    if (this.#window.length < CRLF.length) return this.#more();
    if (startsWith(this.#pending, CRLF)) return this.#take(CRLF.length, 'head');
    return startsWith(this.#pending, CLOSING) ? refuse('missing-form-field', 'file') : malformed('a boundary');
  }

  #head(): Step {
    const end = this.#window.indexOf(END_OF_HEAD);
    if (end < 0) return this.#more();
    const bytes = this.#pending.subarray(0, end);
    if (bytes.includes(this.#delimiter)) return malformed('a boundary');
    const part = readPartHead(bytes.toString('latin1'));
    if (isRefused(part)) return part;
    this.#part = part;
    if (part.name !== 'file') return this.#take(end + END_OF_HEAD.length, 'value');
    this.#form = { fields: this.#fields, filename: part.filename ?? '' };
    return this.#take(end + END_OF_HEAD.length, 'file');
  }

  #value(): Step {
    const { name = '' } = this.#part ?? {};
    const at = this.#window.indexOf(this.#delimiter);
    if (at < 0) return this.#more();
    const length = this.#lengthBefore(at, at);
    if (typeof length === 'object') return length;
    const value = textOf(this.#pending.subarray(0, length));
    if (value === undefined) return malformed(`${name}: a control character, or not UTF-8`);
    if (this.#fields.has(name)) return refuse('duplicate-form-field', name);
    this.#fields.set(name, value);
    return this.#take(at + this.#delimiter.length, 'delimited');
  }

  #file(): Step {
    const at = this.#pending.indexOf(this.#delimiter);
    if (at >= 0) {
      const length = this.#lengthBefore(at, this.#fileLength + at);
      if (typeof length === 'object') return length;
      this.#fileLength = length;
      return this.#take(at + this.#delimiter.length, 'closing');
    }
    // What could be the beginning of the end stays: a line break and all but the last byte of the delimiter.
    const content = this.#pending.length - CRLF.length - (this.#delimiter.length - 1);
    if (content > 0) {
      this.#fileLength += content;
      this.#take(content, 'file');
    }
    return 'needs-more';
  }

  #closing(): Step {
    const { length } = this.#pending;
    if (length < CLOSING.length) return 'needs-more';
    if (startsWith(this.#pending, CRLF)) return refuse('file-not-last');
    if (!startsWith(this.#pending, CLOSING)) return malformed('a boundary');
    const isEnd = length <= CLOSING_LINE.length && CLOSING_LINE.subarray(0, length).equals(this.#pending);
    return isEnd ? 'needs-more' : malformed('it goes on behind its last boundary');
  }

  /** The length of a value that ends with the line break before the delimiter at `at`; `total` counts that break. */
  #lengthBefore(at: number, total: number): number | Refused {
    const breakAt = at - CRLF.length;
    if (breakAt < 0 || !startsWith(this.#pending.subarray(breakAt), CRLF))
      return malformed('a boundary within a value');
    const length = total - CRLF.length;
    const { name = '', length: stated = length } = this.#part ?? {};
    return stated === length ? length : malformed(`${name}: content-length`);
  }

  /** What may be read before the content of the file. */
  get #window(): Buffer {
    return this.#pending.subarray(0, LONGEST_FIELDS - this.#taken);
  }

  #more(): Step {
    return this.#taken + this.#pending.length < LONGEST_FIELDS ? 'needs-more' : refuse('form-fields-too-large');
  }

  #take(bytes: number, next: State): Step {
    this.#pending = this.#pending.subarray(bytes);
    this.#taken += bytes;
    this.#state = next;
    return 'done';
  }
}

function startsWith(bytes: Buffer, beginning: Buffer): boolean {
  return bytes.subarray(0, beginning.length).equals(beginning);
}

function malformed(detail: string): Refused {
  return refuse('malformed-form', detail);
}
