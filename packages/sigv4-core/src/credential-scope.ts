import { isRefused, refuse } from './refusal.js';
import type { Refused } from './refusal.js';
import { parseScopeDate } from './scope-date.js';
import type { ScopeDate } from './scope-date.js';

/** What AWS4-ECDSA-P256-SHA256 signs as the scope: one day, one service; the region set says where it is good. */
export interface MultiRegionScope {
  readonly date: ScopeDate;
  readonly service: string;
  readonly terminator: 'aws4_request';
}

/** What a signing key is good for: one day, one region, one service. */
export interface CredentialScope extends MultiRegionScope {
  readonly region: string;
}

/** An access key id and the scope that it signs for. */
export interface Credential<Scope extends MultiRegionScope = CredentialScope> {
  readonly accessKeyId: string;
  readonly scope: Scope;
}

const FIVE_PARTS = /^([^/]*)\/([^/]*)\/([^/]*)\/([^/]*)\/([^/]*)$/;
const FOUR_PARTS = /^([^/]*)\/([^/]*)\/([^/]*)\/([^/]*)$/;
const ACCESS_KEY_ID = /^[A-Za-z0-9_]+$/;
// A DNS label: the names appear in host names, in certificates' URIs and between the slashes of a scope.
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** 3 to 128 of `A-Z a-z 0-9 _`. */
export function isAccessKeyId(text: string): boolean {
  return text.length >= 3 && text.length <= 128 && ACCESS_KEY_ID.test(text);
}

/** A lower-case DNS label, such as `eu-west-1`. */
export function isRegionName(text: string): boolean {
  return LABEL.test(text);
}

/** A lower-case DNS label, such as `s3` or `execute-api`. */
export function isServiceName(text: string): boolean {
  return LABEL.test(text);
}

/** `YYYYMMDD/REGION/SERVICE/aws4_request` */
export function formatCredentialScope(scope: CredentialScope): string {
  return `${scope.date}/${scope.region}/${scope.service}/${scope.terminator}`;
}

/** `YYYYMMDD/SERVICE/aws4_request`; the region of a credential scope is left out. */
export function formatMultiRegionScope(scope: MultiRegionScope): string {
  return `${scope.date}/${scope.service}/${scope.terminator}`;
}

/** Reads `ACCESS-KEY-ID/YYYYMMDD/REGION/SERVICE/aws4_request`; every part has a closed grammar without a slash. */
export function parseCredential(text: string): Credential | Refused {
  const parts = FIVE_PARTS.exec(text);
  if (parts === null) return refuse('malformed-credential', 'it has not five parts');
  const [, accessKeyId = '', date = '', region = '', service = '', terminator = ''] = parts;
  const credential = readCredential({ accessKeyId, date, service, terminator });
  if (isRefused(credential)) return credential;
  if (!isRegionName(region)) return refuse('malformed-credential', 'region');
  return { accessKeyId, scope: { ...credential.scope, region, service } };
}

/** Reads `ACCESS-KEY-ID/YYYYMMDD/SERVICE/aws4_request`. */
export function parseMultiRegionCredential(text: string): Credential<MultiRegionScope> | Refused {
  const parts = FOUR_PARTS.exec(text);
  if (parts === null) return refuse('malformed-credential', 'it has not four parts');
  const [, accessKeyId = '', date = '', service = '', terminator = ''] = parts;
  return readCredential({ accessKeyId, date, service, terminator });
}

interface CredentialParts {
  readonly accessKeyId: string;
  readonly date: string;
  readonly service: string;
  readonly terminator: string;
}

function readCredential(parts: CredentialParts): Credential<MultiRegionScope> | Refused {
  const { accessKeyId, service, terminator } = parts;
  if (!isAccessKeyId(accessKeyId)) return refuse('malformed-credential', 'access key id');
  const date = parseScopeDate(parts.date);
  if (date === undefined) return refuse('malformed-credential', 'date');
  if (!isServiceName(service)) return refuse('malformed-credential', 'service');
  if (terminator !== 'aws4_request') return refuse('wrong-terminator');
  return { accessKeyId, scope: { date, service, terminator } };
}
