import { isAccessKeyId, isRegionName, isScopeDate, isServiceName, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import { z } from 'zod';

/** The parts of statements and beacons. Their bounds are such that no statement outgrows MOST_DOCUMENT_BYTES. */
export const scopeDate = z
  .string()
  .refine((text): text is ScopeDate => isScopeDate(text), 'must be a UTC day written YYYYMMDD');
export const accessKeyId = z
  .string()
  .refine(isAccessKeyId, 'must be an access key id: 3 to 128 letters, digits or underscores');
export const regionName = z.string().refine(isRegionName, 'must be a region name, such as eu-west-1');
export const serviceName = z.string().refine(isServiceName, 'must be a service name, such as s3');

/** One spelling for each instant, so that equal contents are equal bytes. */
export const instant = z.iso.datetime({ precision: 3, error: 'must be an instant such as 2026-11-22T08:30:00.000Z' });

export const epochMs = z
  .int()
  .nonnegative()
  .max(Date.UTC(9999, 11, 31));

export const incident = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be an incident id: up to 64 letters, digits, ".", "_" or "-"');

export const reason = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[^\p{C}]*$/u, 'must be one line without control characters')
  .refine((text) => text.trim() !== '', 'must say something');

/** SPIFFE-ID, section 2. Who may author statements is the publisher's to decide; here the form alone counts. */
export const author = z
  .string()
  .max(350)
  .regex(/^spiffe:\/\/[a-z0-9._-]+(?:\/[A-Za-z0-9._-]+)+$/, 'must be a SPIFFE id');

/** The longest identity of any role, in the longest trust domain, fits. */
export const bannedIdentity = z
  .string()
  .max(512)
  .regex(/^spiffe:\/\/[a-z0-9._-]+(?:\/[A-Za-z0-9._-]+)+$/, 'must be a SPIFFE id');

export const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits');
