import { element, part, type Child } from './element.js';
import { Failure } from './server.js';

/** The one window over the page: where single things are asked for and shown. */
export class Dialog {
  readonly #dialog = part('dialog', HTMLDialogElement);
  readonly #title = part('dialog-title', HTMLElement);
  readonly #body = part('dialog-body', HTMLElement);
  readonly #problem = part('dialog-problem', HTMLElement);
  /** Counts what was opened: an answer that comes late is not shown in a window that tells of something else. */
  #opened = 0;
  /** The id of what opened it: figures are drawn anew meanwhile, and the element itself may be gone. */
  #openedFrom = '';

  constructor() {
    part('dialog-close', HTMLButtonElement).addEventListener('click', () => this.close());
    this.#dialog.addEventListener('close', () => {
      this.#opened += 1;
      document.getElementById(this.#openedFrom)?.focus();
    });
  }

  open(title: string, ...children: readonly Child[]): void {
    this.#opened += 1;
    this.#title.textContent = title;
    this.show(...children);
    if (this.#dialog.open) return;
    this.#openedFrom = document.activeElement?.id ?? '';
    this.#dialog.showModal();
  }

  /** In place of what was there. */
  show(...children: readonly Child[]): void {
    this.tell(undefined);
    this.#body.replaceChildren(element('div', {}, ...children));
  }

  tell(problem: string | undefined): void {
    this.#problem.textContent = problem ?? '';
    this.#problem.hidden = problem === undefined;
  }

  /** Undefined when it failed, which is told, and when the window tells of something else by then. */
  async ask<Answer>(question: () => Promise<Answer>): Promise<Answer | undefined> {
    const opened = this.#opened;
    this.tell(undefined);
    try {
      const answer = await question();
      return opened === this.#opened ? answer : undefined;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (opened === this.#opened) this.tell(error.message);
      return undefined;
    }
  }

  close(): void {
    this.#dialog.close();
  }
}
