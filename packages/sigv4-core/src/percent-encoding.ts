// All strings here are latin1: one character a byte.

const UNRESERVED_ONLY = /^[A-Za-z0-9\-._~]*$/;
const UNRESERVED_OR_SLASH_ONLY = /^[A-Za-z0-9\-._~/]*$/;
const TO_ENCODE = /[^A-Za-z0-9\-._~]/g;
const TO_ENCODE_BUT_SLASH = /[^A-Za-z0-9\-._~/]/g;
const TRIPLET_OR_TO_ENCODE = /%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~]/g;
const TRIPLET_OR_TO_ENCODE_BUT_SLASH = /%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~/]/g;
// Triplets in upper case, of bytes that are not unreserved.
const UNIFORM =
  /^[A-Za-z0-9\-._~]*(?:%(?:[018-9A-F][0-9A-F]|2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[B-DF])[A-Za-z0-9\-._~]*)*$/;
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
  return UNIFORM.test(text);
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

function hexDigit(code: number): number | undefined {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lowerCase = code | 0x20;
  return lowerCase >= 0x61 && lowerCase <= 0x66 ? lowerCase - 0x61 + 10 : undefined;
}

function uniformTriplet(triplet: string): string {
  const byte = percentDecode(triplet);
  return UNRESERVED_ONLY.test(byte) ? byte : triplet.toUpperCase();
}
