import type { Overview, RevocationRequest } from '@sigv4-keyd/hop-protocol';
import { element, part } from './element.js';
import { dayText, scopeDateText } from './days.js';

const EVERY_REGION = '';

/** Which signatures are meant: of a region, service and access key (absent: all), and of which days. */
export type Scope = Pick<RevocationRequest, 'region' | 'service' | 'accessKeyId' | 'from' | 'to'>;
/** What is known of a revocation before anybody looked at what it hits. */
export type Wanted = Scope & Pick<RevocationRequest, 'incident' | 'reason'>;

/** The fields in which an operator says what is to be revoked. */
export class IncidentForm {
  readonly #form = part('incident', HTMLFormElement);
  readonly #region = part('region', HTMLSelectElement);
  readonly #from = part('from', HTMLInputElement);
  readonly #to = part('to', HTMLInputElement);
  readonly #service = part('service', HTMLInputElement);
  readonly #accessKey = part('access-key', HTMLInputElement);
  readonly #incident = part('incident-id', HTMLInputElement);
  readonly #reason = part('reason', HTMLInputElement);
  readonly #spareNew = part('spare-new', HTMLInputElement);

  constructor(on: { readonly submit: () => void; readonly change: () => void; readonly report: () => void }) {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      on.submit();
    });
    this.#form.addEventListener('input', on.change);
    part('report', HTMLButtonElement).addEventListener('click', on.report);
  }

  /** Offers the regions that there are. What was chosen stays chosen. */
  offer({ regions, today }: Overview): void {
    const offered = [EVERY_REGION, ...regions.map(({ region }) => region)];
    const before = [...this.#region.options].map(({ value }) => value);
    if (this.#from.value === '') this.#from.value = dayText(today);
    if (offered.join() === before.join()) return;
    const chosen = this.#region.value;
    const options = offered.map((value) =>
      element('option', { value }, value === EVERY_REGION ? 'every region' : value),
    );
    this.#region.replaceChildren(...options);
    this.#region.value = offered.includes(chosen) ? chosen : EVERY_REGION;
  }

  /** Fills in a cell of the grid and goes to what is still missing. */
  choose(region: string, date: string): void {
    this.#region.value = region;
    this.#from.value = dayText(date);
    this.#incident.focus();
  }

  /** Fills in all that is known of what is to be revoked. */
  fill({ region = EVERY_REGION, service = '', from, incident, reason }: Wanted): void {
    this.#form.reset();
    this.#region.value = region;
    this.#service.value = service;
    this.#from.value = dayText(from);
    this.#incident.value = incident;
    this.#reason.value = reason;
    this.#from.focus();
  }

  /** Whose report is asked for, or what is missing, in words. */
  readScope(): { readonly scope: Scope } | { readonly problem: string } {
    return this.#from.value === '' ? { problem: 'Still missing: the first day.' } : { scope: this.#scope() };
  }

  /** What was asked for, or which field is missing, in words. */
  read(): { readonly request: RevocationRequest } | { readonly problem: string } {
    const missing = [
      ...(this.#from.value === '' ? ['the first day'] : []),
      ...(this.#incident.value.trim() === '' ? ['the incident id'] : []),
      ...(this.#reason.value.trim() === '' ? ['the reason'] : []),
    ];
    if (missing.length > 0) return { problem: `Still missing: ${missing.join(', ')}.` };
    return {
      request: {
        ...this.#scope(),
        incident: this.#incident.value.trim(),
        reason: this.#reason.value.trim(),
      },
    };
  }

  #scope(): Scope {
    return {
      from: scopeDateText(this.#from.value),
      ...given('to', scopeDateText(this.#to.value)),
      ...given('region', this.#region.value),
      ...given('service', this.#service.value.trim()),
      ...given('accessKeyId', this.#accessKey.value.trim()),
    };
  }

  get sparesNew(): boolean {
    return this.#spareNew.checked;
  }

  clear(): void {
    this.#form.reset();
  }
}

function given<Name extends string>(name: Name, value: string): Partial<Record<Name, string>> {
  const parts: Partial<Record<Name, string>> = {};
  if (value !== '') parts[name] = value;
  return parts;
}
