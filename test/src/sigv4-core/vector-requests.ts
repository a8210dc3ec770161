import { sha256Hex } from '@sigv4-keyd/sigv4-core';
import type { Credentials, RequestHead, SigningPayload, VerificationPolicy } from '@sigv4-keyd/sigv4-core';
import { policyWith } from './policy.js';
import type { Vector, WireRequest } from './vector-folder.js';

// What a case of the public suite means for a signer and for a verifier.

export function policyOf(vector: Vector): VerificationPolicy {
  const { region, service } = vector.context;
  return policyWith({ region, service, pathRule: pathRuleOf(vector), unnormalisedPaths: 'accepted' });
}

/**
 * No path of the suite holds a "%", so that encoding once and encoding twice are told apart by normalising alone. The
 * suite encodes a path with a space, which no message can carry, once, whatever the rule.
 */
export function pathRuleOf(vector: Vector): 's3' | 'standard' {
  const hasSpace = /^[A-Z]+ \/\S* .* HTTP/.test(vector.file('request.txt'));
  return vector.context.normalize && !hasSpace ? 'standard' : 's3';
}

export function credentialsOf({ context }: Vector): Extract<Credentials, { readonly secretAccessKey: string }> {
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey, token } = context.credentials;
  const signedToken = context.omit_session_token === true ? undefined : token;
  return { accessKeyId, secretAccessKey, ...(signedToken === undefined ? {} : { sessionToken: signedToken }) };
}

export function tokenAddedAfterSigning({ context }: Vector): readonly string[] {
  return context.omit_session_token === true && context.credentials.token !== undefined
    ? [context.credentials.token]
    : [];
}

export function withoutToken(request: WireRequest): WireRequest {
  return {
    ...request,
    target: request.target.replace(/&X-Amz-Security-Token=[^&]*/, ''),
    headers: request.headers.filter(([name]) => name.toLowerCase() !== 'x-amz-security-token'),
  };
}

export function payloadOf(vector: Vector, request: WireRequest): SigningPayload {
  return { kind: vector.context.sign_body ? 'exact' : 'body', sha256: bodySha256(request) };
}

export function bodySha256({ body }: WireRequest): string {
  return sha256Hex(Buffer.from(body));
}

export function headOf({ method, target, headers }: WireRequest): RequestHead {
  return { method, target: latin1(target), rawHeaders: headers.flat().map(latin1) };
}

export function nowOf(vector: Vector): number {
  return Date.parse(vector.context.timestamp);
}

export function lowerCased(headers: readonly (readonly [string, string])[]): readonly string[] {
  return headers.map(([name, value]) => `${name.toLowerCase()}:${value}`).sort();
}

export function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

export function utf8(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}
