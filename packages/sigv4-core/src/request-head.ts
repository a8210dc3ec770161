/**
 * The head of a request as it came over the wire. All strings are latin1: one character a byte, nothing decoded.
 */
export interface RequestHead {
  readonly method: string;
  /** Origin-form: path and query, undecoded. */
  readonly target: string;
  /** Name, value, name, value... in order of arrival, as Node's `rawHeaders`. */
  readonly rawHeaders: readonly string[];
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** An HTTP token (RFC 9110, 5.6.2): what methods and header names are made of. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}
