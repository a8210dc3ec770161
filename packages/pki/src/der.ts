import forge from 'node-forge';

export type Asn1 = forge.asn1.Asn1;

const { Class, Type } = forge.asn1;

/** @throws Error unless the bytes are DER to the last: what does not survive being encoded again is not read at all */
export function readDer(der: Buffer): Asn1 {
  // Bit strings stay bytes: node-forge would else take an elliptic curve's point for a structure, now and then.
  const options = { strict: true, parseAllBytes: true, decodeBitStrings: false };
  const node = forge.asn1.fromDer(der.toString('latin1'), options);
  if (!writeDer(node).equals(der)) throw new Error('it is not in the distinguished encoding');
  return node;
}

export function writeDer(node: Asn1): Buffer {
  return Buffer.from(forge.asn1.toDer(node).getBytes(), 'latin1');
}

/** The parts of a sequence; none for anything else. */
export function partsOf(node: Asn1 | undefined): readonly Asn1[] {
  return isUniversal(node, Type.SEQUENCE) ? membersOf(node) : [];
}

/** What is in a structure of any tag; nothing for a plain value. */
export function membersOf(node: Asn1 | undefined): readonly Asn1[] {
  return typeof node?.value === 'object' ? node.value : [];
}

/** The contents of a plain value; none for a structure. */
export function bytesOf(node: Asn1 | undefined): Buffer {
  return Buffer.from(typeof node?.value === 'string' ? node.value : '', 'latin1');
}

/** The octets of a bit string that has no unused bits. */
export function bitsOf(node: Asn1 | undefined): Buffer {
  const bytes = bytesOf(node);
  if (!isUniversal(node, Type.BITSTRING) || bytes[0] !== 0) throw new Error('a bit string is not what it should be');
  return bytes.subarray(1);
}

/** The dotted form, or '' when the node is no object identifier. */
export function oidOf(node: Asn1 | undefined): string {
  return isUniversal(node, Type.OID) ? forge.asn1.derToOid(bytesOf(node).toString('latin1')) : '';
}

export function sequence(...parts: Asn1[]): Asn1 {
  return forge.asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, parts);
}

export function set(...parts: Asn1[]): Asn1 {
  return forge.asn1.create(Class.UNIVERSAL, Type.SET, true, parts);
}

/** `[0]`: the version of a certificate, the attributes of a request. */
export function tagZero(...parts: Asn1[]): Asn1 {
  return forge.asn1.create(Class.CONTEXT_SPECIFIC, Type.NONE, true, parts);
}

export function oid(dotted: string): Asn1 {
  return plain(Type.OID, forge.asn1.oidToDer(dotted).getBytes());
}

export function integer(bigEndian: Buffer): Asn1 {
  return plain(Type.INTEGER, bigEndian.toString('latin1'));
}

export function utf8String(text: string): Asn1 {
  return plain(Type.UTF8, Buffer.from(text, 'utf8').toString('latin1'));
}

export function octetString(bytes: Buffer): Asn1 {
  return plain(Type.OCTETSTRING, bytes.toString('latin1'));
}

export function bitString(bytes: Buffer): Asn1 {
  return plain(Type.BITSTRING, `\0${bytes.toString('latin1')}`);
}

/** RFC 5280, 4.1.2.5: two digits of the year until 2049, four from 2050 on. */
export function time(at: Date): Asn1 {
  return at.getUTCFullYear() < 2050
    ? plain(Type.UTCTIME, forge.asn1.dateToUtcTime(at))
    : plain(Type.GENERALIZEDTIME, forge.asn1.dateToGeneralizedTime(at));
}

function isUniversal(node: Asn1 | undefined, type: forge.asn1.Type): boolean {
  return node?.tagClass === Class.UNIVERSAL && node.type === type;
}

function plain(type: forge.asn1.Type, bytes: string): Asn1 {
  return forge.asn1.create(Class.UNIVERSAL, type, false, bytes);
}
