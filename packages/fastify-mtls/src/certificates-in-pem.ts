import { X509Certificate } from 'node:crypto';

const BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+?-----END CERTIFICATE-----/g;

/**
 * Every certificate of a PEM text, in order. Text around the blocks is allowed (openssl writes it); a block that begins
 * and does not end, as in a file that is being written, is not.
 * @throws Error when there is none, or one is cut off or not a certificate
 */
export function certificatesInPem(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(BLOCK) ?? [];
  if (pem.replaceAll(BLOCK, '').includes('-----')) {
    throw new Error('it holds something that is not a whole certificate');
  }
  if (blocks.length === 0) throw new Error('it holds no certificate');
  return blocks.map((block) => new X509Certificate(block));
}
