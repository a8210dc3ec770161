/** Every way in which these bytes might be written, by its name. */
export const spelled = (bytes: Buffer): ReadonlyMap<string, Buffer> => {
  const hex = bytes.toString('hex');
  return new Map([
    ['binary', bytes],
    ['hex', Buffer.from(hex)],
    ['hex in capitals', Buffer.from(hex.toUpperCase())],
    ['base64', Buffer.from(bytes.toString('base64'))],
    ['base64url', Buffer.from(bytes.toString('base64url'))],
    ['JSON', Buffer.from(JSON.stringify([...bytes]))],
  ]);
};

/** The same without the names. */
export const spellings = (bytes: Buffer): readonly Buffer[] => [...spelled(bytes).values()];
