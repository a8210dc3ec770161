import { sealTo, type Recipient, type Sealing } from './agreement.js';

/** Keys sealed to who asked, as frames. Releases before it know it not, and answer in the form that they have. */
export const SEALED_KEYS_TYPE = 'application/vnd.sigv4-keyd.sealed-keys';

/** The Accept of a question that is best answered sealed; otherwise as `otherwise`. */
export function acceptSealed({ publicKey }: Recipient, otherwise: string): string {
  return `${SEALED_KEYS_TYPE};to=${publicKey}, ${otherwise}`;
}

/**
 * What an answer is sealed with; undefined for an asker of an earlier release. Throws KeydError 'malformed-request' for
 * an asker without a public key.
 */
export function sealingFor(accept: string | undefined, path: string): Sealing | undefined {
  const recipient = recipientIn(accept);
  return recipient === undefined ? undefined : sealTo(recipient, path);
}

function recipientIn(accept: string | undefined): string | undefined {
  for (const range of accept?.split(',') ?? []) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    if (type.toLowerCase() !== SEALED_KEYS_TYPE) continue;
    return parameters.find((parameter) => parameter.startsWith('to='))?.slice('to='.length) ?? '';
  }
  return undefined;
}
