import { isAccessKeyId, isRegionName, isServiceName } from '@sigv4-keyd/sigv4-core';

export const ACCESS_KEY_STATUSES = ['enabled', 'disabled', 'deleted'] as const;
export type AccessKeyStatus = (typeof ACCESS_KEY_STATUSES)[number];

/** What an access key is since its last change: all that decides whether its signatures count. */
export interface AccessKeyChange {
  readonly accessKeyId: string;
  /**
   * The version of the first beacon that named it. Of two changes of an access key the higher counts, whatever order
   * they come in; a publisher that was restored from a backup goes on above every version that was seen.
   */
  readonly change: number;
  readonly status: AccessKeyStatus;
  /** Of the secret: keys made from a lower version are good no more. */
  readonly secretVersion: number;
  /** Epoch milliseconds; absent: never. */
  readonly expiresAt?: number;
  /** Ascending, each once; absent: all. */
  readonly regions?: readonly string[];
  readonly services?: readonly string[];
}

const NUMBER = /^[1-9]\d{0,15}$/;

/**
 * `ID CHANGE STATUS VERSION`, then `expires=`, `regions=` and `services=` where they apply. One line each, since a
 * hundred thousand of them travel to every edge: JSON would be three times as long.
 */
export function writeChange(change: AccessKeyChange): string {
  const { accessKeyId, status, secretVersion, expiresAt, regions, services } = change;
  return [
    `${accessKeyId} ${change.change} ${status} ${secretVersion}`,
    ...(expiresAt === undefined ? [] : [`expires=${expiresAt}`]),
    ...(regions === undefined ? [] : [`regions=${regions.join(',')}`]),
    ...(services === undefined ? [] : [`services=${services.join(',')}`]),
  ].join(' ');
}

/** Undefined for a text that `writeChange` does not write. */
export function readChange(text: string): AccessKeyChange | undefined {
  const [accessKeyId = '', number = '', word = '', version = '', ...rest] = text.split(' ');
  const status = ACCESS_KEY_STATUSES.find((known) => known === word);
  if (!isAccessKeyId(accessKeyId) || status === undefined || !isNumber(number) || !isNumber(version)) return undefined;
  const expires = part(rest, 'expires=');
  const regions = names(part(rest, 'regions='), isRegionName);
  const services = names(part(rest, 'services='), isServiceName);
  if (regions === 'malformed' || services === 'malformed') return undefined;
  if (expires !== undefined && !isNumber(expires)) return undefined;
  const change: AccessKeyChange = {
    accessKeyId,
    change: Number(number),
    status,
    secretVersion: Number(version),
    ...(expires !== undefined && { expiresAt: Number(expires) }),
    ...(regions && { regions }),
    ...(services && { services }),
  };
  // Parts out of order, twice or unknown: none of them comes out as it went in.
  return writeChange(change) === text ? change : undefined;
}

/** From 1 to what is exact. */
function isNumber(text: string): boolean {
  return NUMBER.test(text) && Number.isSafeInteger(Number(text));
}

function part(parts: readonly string[], label: string): string | undefined {
  return parts.find((text) => text.startsWith(label))?.slice(label.length);
}

function names(
  text: string | undefined,
  isName: (name: string) => boolean,
): readonly string[] | undefined | 'malformed' {
  if (text === undefined) return undefined;
  const all = text.split(',');
  const areGood = all.every((name, index) => isName(name) && (index === 0 || (all[index - 1] ?? name) < name));
  return areGood ? all : 'malformed';
}

/**
 * Whether `left` counts and `right` does not, of two changes of one access key. Two of one number are told by who holds
 * the signing key, or by mistake: the one that denies more counts, so that everyone comes to the same end.
 */
export function supersedes(left: AccessKeyChange, right: AccessKeyChange): boolean {
  if (left.change !== right.change) return left.change > right.change;
  const [leftRank, rightRank] = [left, right].map(({ status }) => ACCESS_KEY_STATUSES.indexOf(status));
  if (leftRank !== rightRank) return (leftRank ?? 0) > (rightRank ?? 0);
  if (left.secretVersion !== right.secretVersion) return left.secretVersion > right.secretVersion;
  return writeChange(left) > writeChange(right);
}
