import { createHash } from 'node:crypto';
import { compactVerify, CompactSign, decodeProtectedHeader, errors } from 'jose';
import { z } from 'zod';
import { DOCUMENT_KINDS, type DocumentKind } from './document-kinds.js';
import type { FeedKey } from './feed-key.js';
import { FeedError } from './feed-problem.js';
import type { PinnedKey, PinnedKeys } from './pinned-keys.js';

declare const isDigest: unique symbol;
/** SHA-256 of a document's content, 64 lower-case hex digits: its identity, whichever key signed it. */
export type DocumentDigest = string & { readonly [isDigest]: true };

export const documentDigest = z.string().refine((text): text is DocumentDigest => DIGEST.test(text), {
  error: 'must be the digest of a statement: 64 lower-case hex digits',
});

/** The content of every document: one flat object of texts, numbers and lists of texts: one way to write it is told. */
export type FlatContent = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** A document whose signature, kind and key were checked; its content is yet to be parsed. */
export interface OpenedDocument<K extends DocumentKind> {
  readonly kind: K;
  readonly digest: DocumentDigest;
  readonly content: unknown;
}

const DIGEST = /^[0-9a-f]{64}$/;
// RFC 7515, section 7.1; an Ed25519 signature is 64 bytes.
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}$/;

const protectedHeader = z.strictObject({ alg: z.literal('EdDSA'), typ: z.string(), kid: z.string() });
const flatContent = z.record(z.string(), z.union([z.string(), z.number(), z.array(z.string())]));

/** Throws FeedError: `wrong-purpose` for a key that may not sign this kind, `too-large` for what no verifier takes. */
export async function signDocument(kind: DocumentKind, content: FlatContent, key: FeedKey): Promise<string> {
  const { typ, purpose, mostBytes } = DOCUMENT_KINDS[kind];
  if (key.purpose !== purpose) throw new FeedError('wrong-purpose', `${kind} needs a ${purpose} key`);
  const jws = await new CompactSign(Buffer.from(canonicalJson(content)))
    .setProtectedHeader({ alg: 'EdDSA', typ, kid: key.kid })
    .sign(key.privateKey);
  if (jws.length > mostBytes) throw new FeedError('too-large');
  return jws;
}

/**
 * Checks all that can be checked without knowing the fields: size, header, kind, key, the key's purpose, signature, and
 * that the content is written in the one canonical way. Throws FeedError.
 */
export async function openDocument<K extends DocumentKind>(
  jws: string,
  kinds: readonly K[],
  keys: PinnedKeys,
): Promise<OpenedDocument<K>> {
  const most = Math.max(...kinds.map((kind) => DOCUMENT_KINDS[kind].mostBytes));
  if (jws.length > most) throw new FeedError('too-large');
  if (!COMPACT.test(jws)) throw new FeedError('malformed', 'not a compact JWS with an Ed25519 signature');
  const { kid, typ } = headerOf(jws);
  const kind = kinds.find((candidate) => DOCUMENT_KINDS[candidate].typ === typ);
  if (kind === undefined) throw new FeedError('malformed', `not a document of the kind ${kinds.join(' or ')}`);
  if (jws.length > DOCUMENT_KINDS[kind].mostBytes) throw new FeedError('too-large');
  const key = keys.get(kid);
  if (key === undefined) throw new FeedError('unknown-key');
  if (key.purpose !== DOCUMENT_KINDS[kind].purpose) {
    throw new FeedError('wrong-purpose', `${kind} signed with a ${key.purpose} key`);
  }
  const payload = await verifiedPayload(jws, key);
  return { kind, digest: digestOf(payload), content: readCanonicalJson(payload) };
}

function headerOf(jws: string): z.infer<typeof protectedHeader> {
  const header = rawHeaderOf(jws);
  if (header['alg'] !== 'EdDSA') throw new FeedError('unsupported-algorithm');
  if (Object.hasOwn(header, 'crit')) throw new FeedError('unsupported-extension');
  const parsed = protectedHeader.safeParse(header);
  if (!parsed.success) throw new FeedError('malformed', 'the header is not exactly alg, typ and kid');
  return parsed.data;
}

function rawHeaderOf(jws: string): Readonly<Record<string, unknown>> {
  try {
    return { ...decodeProtectedHeader(jws) };
  } catch {
    throw new FeedError('malformed', 'the header is not a JSON object');
  }
}

async function verifiedPayload(jws: string, { publicKey }: PinnedKey): Promise<Buffer> {
  try {
    return Buffer.from((await compactVerify(jws, publicKey, { algorithms: ['EdDSA'] })).payload);
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) throw new FeedError('bad-signature');
    if (error instanceof errors.JOSEError) throw new FeedError('malformed', 'not a JWS');
    throw error;
  }
}

/** The digest that a content has once it is signed, whichever key signs it. */
export function digestOfContent(content: FlatContent): DocumentDigest {
  return digestOf(Buffer.from(canonicalJson(content)));
}

function canonicalJson(content: FlatContent): string {
  return JSON.stringify(content, Object.keys(content).toSorted());
}

/**
 * Takes nothing but canonical bytes: with one way to write a content, its digest names the content, and re-signing it
 * under another key changes nothing.
 */
function readCanonicalJson(payload: Buffer): unknown {
  const content = flatContent.safeParse(parsedJson(payload.toString('utf8')));
  if (!content.success) throw new FeedError('malformed', 'the content is not a flat JSON object');
  if (!payload.equals(Buffer.from(canonicalJson(content.data)))) {
    throw new FeedError('malformed', 'the content is not in canonical form');
  }
  return content.data;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function digestOf(payload: Buffer): DocumentDigest {
  const digest = createHash('sha256').update('sigv4-keyd document v1\n').update(payload).digest('hex');
  return documentDigest.parse(digest);
}
