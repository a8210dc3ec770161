// All strings are latin1: one character a byte.

/** Encodes all but the unreserved characters and those of `kept`. */
export function percentEncoded(text: string, kept: string): string {
  return text.replace(/[^A-Za-z0-9\-._~]/g, (byte) =>
    kept.includes(byte) ? byte : `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

export function percentDecoded(text: string): string {
  return text.replace(/%[0-9A-Fa-f]{2}/g, (triplet) => String.fromCharCode(Number.parseInt(triplet.slice(1), 16)));
}

/** The hex digits of a percent-encoding in lower case. */
export function lowerHex(text: string): string {
  return text.replace(/%[0-9A-F]{2}/g, (triplet) => triplet.toLowerCase());
}
