import { refuse } from './refusal.js';
import type { Refused } from './refusal.js';
import { parseScopeDate } from './scope-date.js';
import type { ScopeDate } from './scope-date.js';

/** What a signing key is good for: one day, one region, one service. */
export interface CredentialScope {
  readonly date: ScopeDate;
  readonly region: string;
  readonly service: string;
  readonly terminator: 'aws4_request';
}

/** An access key id and the scope that it signs for. */
export interface Credential {
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
}

const ACCESS_KEY_ID = /^[A-Za-z0-9_]{3,128}$/;
// A DNS label: the names appear in host names, in certificates' URIs and between the slashes of a scope.
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** 3 to 128 of `A-Z a-z 0-9 _`. */
export function isAccessKeyId(text: string): boolean {
  return ACCESS_KEY_ID.test(text);
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

/** Reads `ACCESS-KEY-ID/YYYYMMDD/REGION/SERVICE/aws4_request`; every part has a closed grammar without a slash. */
export function parseCredential(text: string): Credential | Refused {
  // One part more than the form has is enough to know; a limit keeps a text of slashes from becoming a long array.
  const parts = text.split('/', 6);
  if (parts.length !== 5) return refuse('malformed-credential', 'it has not five parts');
  const [accessKeyId = '', day = '', region = '', service = '', terminator = ''] = parts;
  if (!isAccessKeyId(accessKeyId)) return refuse('malformed-credential', 'access key id');
  const date = parseScopeDate(day);
  if (date === undefined) return refuse('malformed-credential', 'date');
  if (!isRegionName(region)) return refuse('malformed-credential', 'region');
  if (!isServiceName(service)) return refuse('malformed-credential', 'service');
  if (terminator !== 'aws4_request') return refuse('wrong-terminator');
  return { accessKeyId, scope: { date, region, service, terminator } };
}
