/** Every way in which these bytes might be written. */
export const spellings = (bytes: Buffer): readonly Buffer[] => [
  bytes,
  ...(['hex', 'base64', 'base64url'] as const).map((encoding) => Buffer.from(bytes.toString(encoding))),
  Buffer.from(bytes.toString('hex').toUpperCase()),
  Buffer.from(JSON.stringify([...bytes])),
];
