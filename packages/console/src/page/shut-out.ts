import type { IdentityBan } from '@sigv4-keyd/hop-protocol';
import type { Dialog } from './dialog.js';
import { element } from './element.js';
import { ban, unban } from './server.js';
import { typedConfirmation } from './typed-confirmation.js';
import { clockText, incidentIn, instantDay, pathOf } from './words.js';

interface ShutOutListeners {
  /** The overview is another. */
  readonly changed: () => void;
  /** What the identity was given is to be looked at. */
  readonly revoke: (spiffeId: string, incident: string, reason: string) => void;
}

const EFFECT =
  'The tier above gives it nothing more, closes its connections, and goes on refusing it until it is let back in. ' +
  'What it holds already it keeps: revoke the scopes that it had keys for.';
const INCIDENT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Shuts an identity out, or lets it back in, after the incident's id was typed. */
export class ShutOut {
  readonly #dialog: Dialog;
  readonly #on: ShutOutListeners;

  constructor(dialog: Dialog, on: ShutOutListeners) {
    this.#dialog = dialog;
    this.#on = on;
  }

  /** Asks for incident and reason first; any change of them begins anew. */
  askToBan(spiffeId: string): void {
    const incident = element('input', { id: 'ban-incident', autocomplete: 'off', spellcheck: 'false' });
    const reason = element('input', { id: 'ban-reason', autocomplete: 'off', maxlength: 400 });
    const next = element('div', {});
    const form = element(
      'form',
      { id: 'ban', novalidate: true },
      element('label', {}, 'Incident id', incident),
      element('label', { class: 'wide' }, 'Reason', reason),
      element('button', { id: 'ban-next', type: 'submit' }, 'Go on'),
    );
    form.addEventListener('input', () => next.replaceChildren());
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const given = { incident: incident.value.trim(), reason: reason.value.trim() };
      if (!INCIDENT.test(given.incident) || given.reason === '') {
        this.#dialog.tell('Give an incident id, such as INC-7, and the reason.');
        return;
      }
      this.#dialog.tell(undefined);
      const confirmation = typedConfirmation({
        id: 'confirm-ban',
        word: given.incident,
        warning: `From then on ${pathOf(spiffeId)} is given no keys, of any day.`,
        deed: `Shut out ${pathOf(spiffeId)}`,
        confirmed: () => this.#ban(spiffeId, given.incident, given.reason),
      });
      next.replaceChildren(confirmation);
      confirmation.querySelector('input')?.focus();
    });
    this.#dialog.open(`Shut out ${pathOf(spiffeId)}`, element('p', {}, EFFECT), form, next);
    incident.focus();
  }

  askToLetIn({ spiffeId, reason, by, at }: IdentityBan): void {
    this.#dialog.open(
      `Let ${pathOf(spiffeId)} back in`,
      element('p', {}, `Shut out by ${pathOf(by)} on ${instantDay(at)} at ${clockText(at)}: ${reason}`),
      typedConfirmation({
        id: 'confirm-unban',
        word: incidentIn(reason) ?? pathOf(spiffeId),
        warning: 'Only once the machine is a new one: it is given keys again, those of today too.',
        deed: `Let ${pathOf(spiffeId)} back in`,
        confirmed: () => this.#unban(spiffeId),
      }),
    );
  }

  async #ban(spiffeId: string, incident: string, reason: string): Promise<void> {
    const made = await this.#dialog.ask(() => ban(spiffeId, `${incident}: ${reason}`));
    this.#on.changed();
    if (made === undefined) return;
    const button = element('button', { id: 'ban-revoke', type: 'button' }, 'Look at what it was given');
    button.addEventListener('click', () => {
      this.#dialog.close();
      this.#on.revoke(spiffeId, incident, reason);
    });
    this.#dialog.show(
      element('p', { class: 'good' }, `${pathOf(spiffeId)} is shut out.`),
      element('p', {}, 'The keys that it holds are still good. Look at what they can sign, and revoke that:'),
      button,
    );
    button.focus();
  }

  async #unban(spiffeId: string): Promise<void> {
    const ended = await this.#dialog.ask(() => unban(spiffeId));
    this.#on.changed();
    if (ended !== undefined) {
      this.#dialog.show(element('p', { class: 'good' }, `${pathOf(spiffeId)} is let back in.`));
    }
  }
}
