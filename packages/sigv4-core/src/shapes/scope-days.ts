import { timeOfAmzDate } from '../amz-date.js';
import { formatCredentialScope } from '../credential-scope.js';
import type { CredentialScope } from '../credential-scope.js';
import { isScopeDate, startOfScopeDate } from '../scope-date.js';
import { ownText } from './plain-text.js';

/** What follows from the date of a credential scope, where region and service are known. */
export interface ScopeDay {
  readonly scope: CredentialScope;
  /** `YYYYMMDD/REGION/SERVICE/aws4_request` */
  readonly text: string;
  /** Epoch milliseconds. */
  readonly startsAt: number;
}

/** What follows from an x-amz-date. */
export interface SigningInstant {
  readonly amzDate: string;
  readonly day: ScopeDay;
  /** Epoch milliseconds. */
  readonly signedAt: number;
  /** The string to sign without its last line. */
  readonly stringToSignHead: string;
}

const DATE_LENGTH = 8;
/** More than any window has. */
const MOST_DAYS = 32;
/** Where the seconds stand in `YYYYMMDDTHHMMSSZ`. */
const SECONDS_AT = 13;

/**
 * The days that requests name, and the newest instant of each second of the minute. What follows from a date is the
 * same for everybody, so that it may be remembered of any request; who pushes one out makes another read it again.
 */
export class ScopeDays {
  readonly #region: string;
  readonly #service: string;
  readonly #days = new Map<string, ScopeDay>();
  readonly #instants = new Map<number, SigningInstant>();

  constructor(region: string, service: string) {
    this.#region = region;
    this.#service = service;
  }

  /** Undefined when the text is no x-amz-date. */
  read(amzDate: string): SigningInstant | undefined {
    const timeOfDay = timeOfAmzDate(amzDate);
    const day = timeOfDay === undefined ? undefined : this.#find(amzDate.slice(0, DATE_LENGTH));
    if (timeOfDay === undefined || day === undefined) return undefined;
    const stringToSignHead = `AWS4-HMAC-SHA256\n${amzDate}\n${day.text}\n`;
    return { amzDate, day, signedAt: day.startsAt + timeOfDay, stringToSignHead };
  }

  /** The same, remembered: within a second, most requests name the same few. */
  instantOf(amzDate: string): SigningInstant | undefined {
    const second = amzDate.charCodeAt(SECONDS_AT) * 10 + amzDate.charCodeAt(SECONDS_AT + 1);
    const known = this.#instants.get(second);
    if (known?.amzDate === amzDate) return known;
    const read = this.read(amzDate);
    if (read === undefined) return undefined;
    const texts = { amzDate: ownText(amzDate), stringToSignHead: ownText(read.stringToSignHead) };
    const instant = { ...read, ...texts };
    this.#instants.set(second, instant);
    return instant;
  }

  #find(date: string): ScopeDay | undefined {
    const known = this.#days.get(date);
    if (known !== undefined || !isScopeDate(date)) return known;
    const scope = { date, region: this.#region, service: this.#service, terminator: 'aws4_request' } as const;
    const day = { scope, text: formatCredentialScope(scope), startsAt: startOfScopeDate(date) };
    if (this.#days.size >= MOST_DAYS) this.#days.clear();
    this.#days.set(date, day);
    return day;
  }
}
