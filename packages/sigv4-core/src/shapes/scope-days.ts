import { formatCredentialScope } from '../credential-scope.js';
import type { CredentialScope } from '../credential-scope.js';
import { isScopeDate, startOfScopeDate } from '../scope-date.js';

/** What follows from the date of a credential scope, where region and service are known. */
export interface ScopeDay {
  readonly scope: CredentialScope;
  /** `YYYYMMDD/REGION/SERVICE/aws4_request` */
  readonly text: string;
  /** Epoch milliseconds. */
  readonly startsAt: number;
}

/** More than any window has. */
const MOST_DAYS = 32;

/** The days that requests name. */
export class ScopeDays {
  readonly #region: string;
  readonly #service: string;
  readonly #days = new Map<string, ScopeDay>();

  constructor(region: string, service: string) {
    this.#region = region;
    this.#service = service;
  }

  /** Undefined when the text is no scope date. */
  find(date: string): ScopeDay | undefined {
    const known = this.#days.get(date);
    if (known !== undefined || !isScopeDate(date)) return known;
    const scope = { date, region: this.#region, service: this.#service, terminator: 'aws4_request' } as const;
    const day = { scope, text: formatCredentialScope(scope), startsAt: startOfScopeDate(date) };
    if (this.#days.size >= MOST_DAYS) this.#days.clear();
    this.#days.set(date, day);
    return day;
  }
}
