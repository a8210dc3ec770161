import { createHash, createHmac } from 'node:crypto';
import { ecdsaPrivateKey, ecdsaSignatureOf } from '@sigv4-keyd/sigv4-core';
import { SECRET, type Message } from '../edge-verifier/client.js';
import { changePart, headerOf, isPresignedMessage, partOf } from './tampering.js';

/**
 * Signs a message anew as it stands, with the key of whatever scope it names: as an attacker would who has that key.
 * The signature is right then, however odd the rest, and only the check that is under attack is left to refuse it.
 */
export function resigned(message: Message, secret = SECRET): Message {
  const [accessKeyId = '', ...scope] = partOf(message, 'Credential').split('/');
  const algorithm = partOf(message, 'Algorithm');
  const canonical = sha256(canonicalRequest(message));
  const text = [algorithm, partOf(message, 'Date'), scope.join('/'), canonical].join('\n');
  const signature = algorithm.includes('ECDSA')
    ? ecdsaSignatureOf(ecdsaPrivateKey(secret, accessKeyId), text)
    : createHmac('sha256', keyOf(secret, scope)).update(text).digest('hex');
  return changePart(message, 'Signature', () => signature);
}

function keyOf(secret: string, scope: readonly string[]): Buffer {
  return scope.reduce((key, part) => createHmac('sha256', key).update(part).digest(), Buffer.from(`AWS4${secret}`));
}

/** As of S3: the path as it is. What these messages hold is in canonical encoding already. */
function canonicalRequest(message: Message): string {
  const [path = '', query = ''] = message.target.split('?', 2);
  const parameters = query
    .split('&')
    .filter((part) => part !== '' && !(isPresignedMessage(message) && part.startsWith('X-Amz-Signature=')))
    .map((part) => (part.includes('=') ? part : `${part}=`))
    .sort(byNameThenValue);
  const names = partOf(message, 'SignedHeaders').split(';');
  const headers = names.map((name) => `${name}:${valuesOf(message, name).join(',')}\n`);
  return [message.method, path, parameters.join('&'), headers.join(''), names.join(';'), payloadOf(message)].join('\n');
}

function byNameThenValue(a: string, b: string): number {
  const [[nameA = '', valueA = ''], [nameB = '', valueB = '']] = [a.split('='), b.split('=')];
  if (nameA !== nameB) return nameA < nameB ? -1 : 1;
  return valueA < valueB ? -1 : Number(valueA > valueB);
}

function valuesOf({ headers }: Message, wanted: string): readonly string[] {
  return headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value.trim());
}

function payloadOf(message: Message): string {
  const stated = headerOf(message, 'x-amz-content-sha256') || /X-Amz-Content-Sha256=([^&]*)/.exec(message.target)?.[1];
  if (stated !== undefined && stated !== '') return stated;
  return isPresignedMessage(message) ? 'UNSIGNED-PAYLOAD' : sha256(message.body);
}

function sha256(data: string | Buffer): string {
  return createHash('sha256')
    .update(typeof data === 'string' ? Buffer.from(data, 'latin1') : data)
    .digest('hex');
}
