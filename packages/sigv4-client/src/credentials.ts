import type { Credentials } from '@sigv4-keyd/sigv4-core';
import { SigningError } from './signing-error.js';

/**
 * Credentials, or a function that is asked for them at every signature: it caches and renews them itself. The
 * providers of the AWS SDK (`fromNodeProviderChain()` and its like) are such functions.
 */
export type CredentialSource = Credentials | (() => Credentials | Promise<Credentials>);

export async function credentialsOf(source: CredentialSource): Promise<Credentials> {
  return typeof source === 'function' ? source() : source;
}

/** AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. Throws SigningError without the first two. */
export function credentialsFromEnvironment(env: Readonly<Record<string, string | undefined>>): Credentials {
  const accessKeyId = env['AWS_ACCESS_KEY_ID'] ?? '';
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY'] ?? '';
  const sessionToken = env['AWS_SESSION_TOKEN'] ?? '';
  if (accessKeyId === '') throw new SigningError('credentials-missing', 'there is no access key id');
  if (secretAccessKey === '') throw new SigningError('credentials-missing', 'there is no secret access key');
  return sessionToken === '' ? { accessKeyId, secretAccessKey } : { accessKeyId, secretAccessKey, sessionToken };
}
