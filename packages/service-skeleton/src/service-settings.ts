import { LONGEST_PRESIGNED_SECONDS, type StreamedSet } from '@sigv4-keyd/hop-protocol';
import { z } from 'zod';
import { bytes, listenAddress, logLevel, readableFile, seconds, trustDomain, writableFolder } from './settings.js';

/** A tier's own certificate, and whom it believes. */
export const credentialSettings = {
  trustDomain: trustDomain.describe('SPIFFE trust domain of all certificates'),
  tlsCert: readableFile.describe("PEM file with this service's certificate (and its chain)"),
  tlsKey: readableFile.describe('PEM file with its private key'),
  tlsCa: readableFile.describe('PEM file with the certificate authorities of the trust domain'),
};

/** How long what clients sign lives, and so the days that keys are held for. */
export const dateSettings = {
  longestPresigned: seconds
    .refine((life) => life >= 1 && life <= LONGEST_PRESIGNED_SECONDS, 'must be between 1s and 7d')
    .prefault('7d')
    .describe("Longest life of a presigned URL or form; past days' keys are kept this long"),
  clockSkew: seconds
    .refine((skew) => skew >= 1 && skew <= 3_600, 'must be between 1s and 1h')
    .prefault('15m')
    .describe("Largest accepted difference to a client's clock"),
};

/** The settings that every service has. A service's own schema spreads them. */
export const serviceSettings = {
  ...credentialSettings,
  healthListen: listenAddress
    .prefault('127.0.0.1:8081')
    .describe('Where /health/live, /health/ready and /status answer, without TLS'),
  logLevel: logLevel.default('info').describe('Least severe log lines that are written'),
  ...dateSettings,
};

/** Where a service answers Prometheus. */
export const metricsListen = listenAddress
  .optional()
  .describe('Where /metrics answers Prometheus, without TLS: on a private network; absent: nowhere');

/** Where the tiers that serve others answer over mTLS. */
export const hopListen = listenAddress.prefault('0.0.0.0:8443').describe('Where the tier below is answered, mTLS');

/** Where the tiers below the master keep what must outlive the process. What is secret in it is sealed. */
export const stateFolder = writableFolder.describe('Folder for what must survive a restart; a disk of its own is best');

/** What the tiers below the master hold keys in. */
export const keyMemory = bytes
  .prefault('1GiB')
  .describe('Memory for held keys, shared by the days of the window; a day keeps the keys that were used last');

/** Which keys the tiers below the master fetch before they are asked for. */
export const prefetch = z
  .enum(['used', 'all'])
  .default('used')
  .describe('Keys that are fetched before they are asked for: of access keys in use or pinned, or all of a day');

/** The sets of keys that are streamed down for it. */
export function streamedSetsOf(setting: z.output<typeof prefetch>): readonly StreamedSet[] {
  return setting === 'all' ? ['pinned', 'all'] : ['pinned'];
}

/** Memory for public keys, of which there are as many as access keys whose owners use SigV4A. */
export const publicKeyMemory = bytes
  .prefault('64MiB')
  .describe('Memory for held public keys (AWS4-ECDSA-P256-SHA256), beside KEYD_KEY_MEMORY');

export type ServiceSettings = z.output<z.ZodObject<typeof serviceSettings>>;
