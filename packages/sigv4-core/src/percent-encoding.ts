// All strings here are latin1: one character a byte.

const UNRESERVED_ONLY = /^[A-Za-z0-9\-._~]*$/;
const UNRESERVED_OR_SLASH_ONLY = /^[A-Za-z0-9\-._~/]*$/;
const TO_ENCODE = /[^A-Za-z0-9\-._~]/g;
const TO_ENCODE_BUT_SLASH = /[^A-Za-z0-9\-._~/]/g;
const TRIPLET_OR_TO_ENCODE = /%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~]/g;
const TRIPLET_OR_TO_ENCODE_BUT_SLASH = /%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~/]/g;
// Eight at a time: a loop of one character each takes twice as long. What is left is bounded, so that a text that fails
// is not tried in many ways.
const UNRESERVED_OR_PERCENT = new RegExp(`^(?:${'[A-Za-z0-9\\-._~%]'.repeat(8)})*[A-Za-z0-9\\-._~%]{0,7}$`);
/** By byte: whether it must be encoded. */
const IS_RESERVED = Uint8Array.from({ length: 256 }, (_, byte) =>
  UNRESERVED_ONLY.test(String.fromCharCode(byte)) ? 0 : 1,
);
const LOWER_CASE_A = 0x61;
const BAD_PERCENT = /%(?![0-9A-Fa-f]{2})/;

/** Whether the slash is data (in a query) or parts the segments (in a path). */
export type Slash = 'encoded' | 'kept';

/** Encodes every byte that is not unreserved (RFC 3986, 2.3), with upper-case hex. An existing %XX is encoded again. */
export function percentEncode(text: string, slash: Slash): string {
  if (needsNothing(text, slash)) return text;
  return text.replace(slash === 'kept' ? TO_ENCODE_BUT_SLASH : TO_ENCODE, encodeByte);
}

/**
 * Makes an encoding uniform: an existing %XX keeps its byte (decoded when unreserved, upper-case hex when not), every
 * other byte that is not unreserved is encoded. %2F stays %2F, never equal to a slash that parts segments.
 */
export function uniformEncoding(text: string, slash: Slash): string {
  if (needsNothing(text, slash)) return text;
  return text.replace(slash === 'kept' ? TRIPLET_OR_TO_ENCODE_BUT_SLASH : TRIPLET_OR_TO_ENCODE, (found) =>
    found.length === 1 ? encodeByte(found) : uniformTriplet(found),
  );
}

/** Whether `uniformEncoding(text, 'encoded')` would change nothing. */
export function isUniform(text: string): boolean {
  return decodeUniform(text) !== undefined;
}

/** Decodes every %XX to its byte; undefined for a text that `uniformEncoding(text, 'encoded')` would change. */
export function decodeUniform(text: string): string | undefined {
  if (!UNRESERVED_OR_PERCENT.test(text)) return undefined;
  let decoded = '';
  let from = 0;
  for (let at = text.indexOf('%'); at >= 0; at = text.indexOf('%', from)) {
    const byte = byteOf(text, at + 1);
    if (byte === undefined || IS_RESERVED[byte] === 0 || !isUpperCase(text, at + 1)) return undefined;
    decoded += text.slice(from, at) + String.fromCharCode(byte);
    from = at + 3;
  }
  return from === 0 ? text : decoded + text.slice(from);
}

/** Decodes every %XX to its byte. */
export function percentDecode(text: string): string {
  let decoded = '';
  let from = 0;
  for (let at = text.indexOf('%'); at >= 0; at = text.indexOf('%', at + 1)) {
    const byte = byteOf(text, at + 1);
    if (byte === undefined) continue;
    decoded += text.slice(from, at) + String.fromCharCode(byte);
    from = at + 3;
  }
  return decoded + text.slice(from);
}

/** True when every "%" starts a %XX. */
export function isPercentEncodingValid(text: string): boolean {
  return !BAD_PERCENT.test(text);
}

function needsNothing(text: string, slash: Slash): boolean {
  return (slash === 'kept' ? UNRESERVED_OR_SLASH_ONLY : UNRESERVED_ONLY).test(text);
}

function encodeByte(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/** The byte that two hex digits at a place stand for. */
function byteOf(text: string, at: number): number | undefined {
  const high = hexDigit(text.charCodeAt(at));
  const low = hexDigit(text.charCodeAt(at + 1));
  return high === undefined || low === undefined ? undefined : high * 16 + low;
}

/** Whether two hex digits at a place are not in lower case. */
function isUpperCase(text: string, at: number): boolean {
  return text.charCodeAt(at) < LOWER_CASE_A && text.charCodeAt(at + 1) < LOWER_CASE_A;
}

function hexDigit(code: number): number | undefined {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lowerCase = code | 0x20;
  return lowerCase >= 0x61 && lowerCase <= 0x66 ? lowerCase - 0x61 + 10 : undefined;
}

function uniformTriplet(triplet: string): string {
  const byte = percentDecode(triplet);
  return UNRESERVED_ONLY.test(byte) ? byte : triplet.toUpperCase();
}
