// All strings here are latin1: one character a byte.

const UNRESERVED_ONLY = /^[A-Za-z0-9\-._~]*$/;
const UNRESERVED_OR_SLASH_ONLY = /^[A-Za-z0-9\-._~/]*$/;
const TO_ENCODE = /[^A-Za-z0-9\-._~]/g;
const TO_ENCODE_BUT_SLASH = /[^A-Za-z0-9\-._~/]/g;
const TRIPLET_OR_TO_ENCODE = /%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~]/g;
const TRIPLET_OR_TO_ENCODE_BUT_SLASH = /%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~/]/g;
const TRIPLET = /%[0-9A-Fa-f]{2}/g;
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

/** Whether a name or a value of a query is uniformly encoded as it is. */
export function isUniform(text: string): boolean {
  return uniformEncoding(text, 'encoded') === text;
}

/** Decodes every %XX to its byte. */
export function percentDecode(text: string): string {
  return text.includes('%') ? text.replace(TRIPLET, decodeTriplet) : text;
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

function decodeTriplet(triplet: string): string {
  return String.fromCharCode(Number.parseInt(triplet.slice(1), 16));
}

function uniformTriplet(triplet: string): string {
  const byte = decodeTriplet(triplet);
  return UNRESERVED_ONLY.test(byte) ? byte : triplet.toUpperCase();
}
