import {
  KeydError,
  type Absence,
  type AccessKeyFacts,
  type IssuedKey,
  type KeyAnswer,
  type KeyRequest,
  type ServiceKeySource,
} from '@sigv4-keyd/hop-protocol';
import { kDate, kRegion, kSecret, kService, type KService } from '@sigv4-keyd/sigv4-core';

/** A region-keyd in small: derives kService from secrets that it holds, counts what it is asked, and can be down. */
export class DerivingParent implements ServiceKeySource {
  readonly secrets = new Map<string, string>();
  readonly facts = new Map<string, Partial<AccessKeyFacts>>();
  readonly absences = new Map<string, Absence>();
  readonly requests: KeyRequest[] = [];
  isDown = false;

  readonly #region: string;
  readonly #service: string;

  constructor(region: string, service: string) {
    this.#region = region;
    this.#service = service;
  }

  issue(request: KeyRequest): Promise<KeyAnswer<KService>> {
    this.requests.push(request);
    if (this.isDown) return Promise.reject(new KeydError('parent-unavailable'));
    const issued = new Map<string, IssuedKey<KService>>();
    const absent = new Map<string, Absence>();
    for (const accessKeyId of request.accessKeyIds) {
      const secret = this.secrets.get(accessKeyId);
      const absence = this.absences.get(accessKeyId) ?? (secret === undefined ? 'unknown' : undefined);
      if (absence || secret === undefined) {
        absent.set(accessKeyId, absence ?? 'unknown');
        continue;
      }
      const key = kService(kRegion(kDate(kSecret(secret), request.date), this.#region), this.#service);
      const facts = { accessKeyId, version: 1, createdAt: 0, ...this.facts.get(accessKeyId) };
      issued.set(accessKeyId, { key, facts });
    }
    return Promise.resolve({ issued, absent });
  }

  get idsAskedFor(): number {
    return this.requests.reduce((sum, { accessKeyIds }) => sum + accessKeyIds.length, 0);
  }
}
