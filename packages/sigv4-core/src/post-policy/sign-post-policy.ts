import type { Credentials } from '../credentials.js';
import { LONGEST_PRESIGNED_SECONDS } from '../policy.js';
import { hmacSigner } from '../signer.js';
import { formatCondition } from './condition.js';
import type { Condition } from './condition.js';
import { formatExpiration } from './expiration.js';
import { FILENAME_VARIABLE } from './filename-variable.js';
import { isFieldName, isOutsidePolicy } from './form-fields.js';

/** A form to be signed. */
export interface UnsignedPostPolicy {
  readonly bucket: string;
  /** As they will be sent, `key` among them; each is allowed as it is here, unless a condition speaks of it. */
  readonly fields: Readonly<Record<string, string>>;
  /** What else the form may hold. */
  readonly conditions?: readonly Condition[];
}

export interface PostPolicySigning {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly region: string;
  readonly service: string;
  /** Whole seconds, 1 to 604800. */
  readonly expiresSeconds: number;
}

/** All fields of the form but the file, which comes last. */
export type PostFormFields = Readonly<Record<string, string>>;

/** Signs a policy for a form. Throws TypeError or RangeError for what no verifier would accept. */
export function signPostPolicy(
  { bucket, fields, conditions = [] }: UnsignedPostPolicy,
  credentials: Credentials,
  signing: PostPolicySigning,
): PostFormFields {
  const { now, expiresSeconds } = signing;
  if (!Number.isInteger(expiresSeconds) || expiresSeconds < 1 || expiresSeconds > LONGEST_PRESIGNED_SECONDS) {
    throw new RangeError(`a form lives 1 to ${LONGEST_PRESIGNED_SECONDS} whole seconds`);
  }
  requireFields(fields);
  const signer = hmacSigner(credentials, signing);
  const authenticating = {
    'x-amz-algorithm': signer.algorithm,
    'x-amz-credential': `${signer.accessKeyId}/${signer.scope}`,
    'x-amz-date': signer.amzDate,
    ...(signer.sessionToken === undefined ? {} : { 'x-amz-security-token': signer.sessionToken }),
  };
  const spokenOf = new Set(conditions.flatMap((one) => (one.kind === 'content-length-range' ? [] : [one.field])));
  const ofFields = Object.entries({ ...fields, ...authenticating, bucket })
    .filter(([name]) => !spokenOf.has(name.toLowerCase()) && !isOutsidePolicy(name.toLowerCase()))
    .map(([name, value]) => conditionFor(name.toLowerCase(), value));
  const policy = {
    expiration: formatExpiration(now + expiresSeconds * 1000),
    conditions: [...ofFields, ...conditions].map(formatCondition),
  };
  const text = Buffer.from(JSON.stringify(policy), 'utf8').toString('base64');
  return { ...fields, ...authenticating, policy: text, 'x-amz-signature': signer.sign(text) };
}

/** What the name of the file is put into can be told by its beginning only. */
function conditionFor(field: string, value: string): Condition {
  const at = value.indexOf(FILENAME_VARIABLE);
  return at < 0 ? { kind: 'eq', field, value } : { kind: 'starts-with', field, value: value.slice(0, at) };
}

const SET_BY_SIGNING: ReadonlySet<string> = new Set([
  'file',
  'policy',
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-signature',
]);

function requireFields(fields: Readonly<Record<string, string>>): void {
  const names = Object.keys(fields).map((name) => name.toLowerCase());
  if (!names.includes('key')) throw new TypeError('cannot sign: add the field key');
  if (new Set(names).size !== names.length) throw new TypeError('cannot sign: a field is there twice');
  for (const name of names) {
    if (!isFieldName(name)) throw new TypeError('cannot sign: name fields with letters, digits, ".", "_" and "-"');
    if (SET_BY_SIGNING.has(name))
      throw new TypeError(`cannot sign: remove the field ${name}, signing or sending sets it`);
  }
}
