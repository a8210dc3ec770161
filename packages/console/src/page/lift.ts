import type { ListedRevocations } from '@sigv4-keyd/hop-protocol';
import type { Dialog } from './dialog.js';
import { download } from './download.js';
import { element, type Child } from './element.js';
import { readLift } from './lift-document.js';
import { Failure, readRevocations, submitLift } from './server.js';
import { typedConfirmation } from './typed-confirmation.js';
import { pathOf } from './words.js';

type Listed = ListedRevocations['revocations'][number];

interface LiftSurroundings {
  /** SPIFFE id of the operator; undefined while it is not known. */
  readonly operator: () => string | undefined;
  /** The overview is another. */
  readonly changed: () => void;
}

/** What the command on the machine with the root key reads: the lift that is to be signed, and what it takes back. */
function requestOf({ statement, digest }: Listed, author: string, reason: string): string {
  const { to, incident } = statement;
  const at = new Date().toISOString();
  const lift = { kind: 'lift', id: crypto.randomUUID(), lifts: digest, to, incident, reason, author, at };
  return `${JSON.stringify({ lift, revocation: statement }, undefined, 2)}\n`;
}

/**
 * Takes a revocation back, in the two halves that a browser can have: the request, and the lift that came back signed.
 * Between them is the root key, which no browser and no master ever holds.
 */
export class Lift {
  readonly #dialog: Dialog;
  readonly #surroundings: LiftSurroundings;

  constructor(dialog: Dialog, surroundings: LiftSurroundings) {
    this.#dialog = dialog;
    this.#surroundings = surroundings;
  }

  async ask(id: string): Promise<void> {
    this.#dialog.open('Lift a revocation', element('p', { class: 'note' }, 'Looking it up…'));
    const listed = await this.#dialog.ask(async () => {
      const { revocations } = await readRevocations();
      const found = revocations.find(({ statement }) => statement.id === id);
      if (found === undefined || found.liftedBy !== undefined) throw new Failure('It is not in force any more.');
      return found;
    });
    if (listed === undefined) return;
    const { incident, reason } = listed.statement;
    this.#dialog.open(
      `Lift ${incident}`,
      element('p', {}, `It revokes ${listed.scope}.`),
      element('p', { class: 'note' }, `Why it was revoked: ${reason}`),
      ...this.#request(listed),
      ...this.#submission(listed),
    );
  }

  #request(listed: Listed): Child[] {
    const { incident } = listed.statement;
    const reason = element('input', { id: 'lift-reason', autocomplete: 'off', maxlength: 500 });
    const form = element(
      'form',
      { id: 'lift-request', novalidate: true },
      element('label', { class: 'wide' }, 'Why it is lifted', reason),
      element('button', { type: 'submit', id: 'lift-download' }, 'Download the request'),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const author = this.#surroundings.operator();
      const why = reason.value.trim();
      if (why === '') this.#dialog.tell('Still missing: why it is lifted.');
      else if (author === undefined)
        this.#dialog.tell('This master does not tell who asks: use keydctl revocation lift.');
      else {
        this.#dialog.tell(undefined);
        download(`lift-${incident}.json`, 'application/json', requestOf(listed, author, why));
      }
    });
    return [
      element('h3', {}, '1. Ask for it'),
      form,
      element('h3', {}, '2. Sign it where the root key is'),
      element('p', { class: 'note' }, 'On a machine that has the root key and no network:'),
      element(
        'pre',
        { tabindex: 0, 'aria-label': 'The command that signs' },
        `keydctl revocation lift sign lift-${incident}.json --root-key root.jwk --out lift-${incident}.jws`,
      ),
    ];
  }

  #submission(listed: Listed): Child[] {
    const file = element('input', { id: 'lift-file', type: 'file', accept: '.jws' });
    const next = element('div', { 'aria-live': 'polite' });
    file.addEventListener('change', () => {
      next.replaceChildren();
      const [chosen] = file.files ?? [];
      if (chosen !== undefined) void this.#look(listed, chosen, next);
    });
    return [
      element('h3', {}, '3. Bring it back'),
      element('form', { novalidate: true }, element('label', { class: 'wide' }, 'The signed lift', file)),
      next,
    ];
  }

  /** Shows what the signed lift says before it is sent. The master alone can tell whether the signature is good. */
  async #look({ statement, digest }: Listed, file: File, next: HTMLElement): Promise<void> {
    const read = await this.#dialog.ask(async () => {
      const jws = (await file.text()).trim();
      const lift = readLift(jws);
      if (lift === undefined) throw new Failure('This file is no signed lift.');
      if (lift.lifts !== digest) throw new Failure('This lift takes back another revocation.');
      return { jws, lift };
    });
    if (read === undefined) return;
    const { reason, author } = read.lift;
    const confirmation = typedConfirmation({
      id: 'confirm-lift',
      word: statement.incident,
      warning: 'What was refused is good again, at every edge, and a thief who holds these keys can sign again, too.',
      deed: `Lift ${statement.incident}`,
      confirmed: () => this.#submit(read.jws),
    });
    next.replaceChildren(element('p', {}, `Asked for by ${pathOf(author)}: ${reason}`), confirmation);
    confirmation.querySelector('input')?.focus();
  }

  async #submit(jws: string): Promise<void> {
    const answer = await this.#dialog.ask(() => submitLift(jws));
    this.#surroundings.changed();
    if (answer !== undefined) {
      this.#dialog.show(
        element('p', { class: 'good' }, `${answer.lift.incident} is lifted: ${answer.scope}.`),
        element('p', {}, 'Edges that were told of the revocation accept again as soon as they hear of the lift.'),
      );
    }
  }
}
