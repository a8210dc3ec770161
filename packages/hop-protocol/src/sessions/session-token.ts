import { FeedError, openDocument, signDocument, type FeedKey, type PinnedKeys } from '@sigv4-keyd/revocation';
import type { SessionIdentity } from '@sigv4-keyd/sigv4-core';
import { z } from 'zod';
import { accessKeyId, regionName, serviceName, sessionName } from '../schemas.js';
import { LONGEST_SESSION } from './session-api.js';

/** What a session token says: whose temporary access key this is, and what it is good for. */
export interface Session extends SessionIdentity {
  readonly accessKeyId: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly expiresAt: number;
  /** Absent: all. */
  readonly regions?: readonly string[];
  readonly services?: readonly string[];
}

/** One spelling for each instant, as in every document that is signed. */
const instant = z.iso.datetime({ precision: 3 });

const claims = z
  .strictObject({
    accessKeyId,
    parentAccessKeyId: accessKeyId,
    name: sessionName.exactOptional(),
    regions: z.array(regionName).min(1).exactOptional(),
    services: z.array(serviceName).min(1).exactOptional(),
    at: instant,
    expires: instant,
  })
  .refine(({ at, expires }) => isLifeOfSession(Date.parse(at), Date.parse(expires)));

/** The compact JWS. Throws FeedError `too-large` for more names than a token can hold. */
export function signSessionToken(session: Session, key: FeedKey): Promise<string> {
  const { accessKeyId, parentAccessKeyId, name, regions, services, createdAt, expiresAt } = session;
  const content = {
    accessKeyId,
    parentAccessKeyId,
    ...(name !== undefined && { name }),
    ...(regions && { regions }),
    ...(services && { services }),
    at: new Date(createdAt).toISOString(),
    expires: new Date(expiresAt).toISOString(),
  };
  return signDocument('session', content, key);
}

/** Reads what a pinned key signed, expired or not. Throws FeedError. */
export async function verifySessionToken(token: string, pinned: PinnedKeys): Promise<Session> {
  const { content } = await openDocument(token, ['session'], pinned);
  const parsed = claims.safeParse(content);
  if (!parsed.success) throw new FeedError('malformed');
  const { at, expires, name, regions, services, ...ids } = parsed.data;
  return {
    ...ids,
    ...(name !== undefined && { name }),
    ...(regions && { regions }),
    ...(services && { services }),
    createdAt: Date.parse(at),
    expiresAt: Date.parse(expires),
  };
}

/** No master makes a longer one; a shorter one ends with its access key. */
function isLifeOfSession(createdAt: number, expiresAt: number): boolean {
  return createdAt < expiresAt && expiresAt <= createdAt + LONGEST_SESSION * 1000;
}
