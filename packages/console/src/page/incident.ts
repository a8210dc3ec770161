import type { Overview, RevocationAnswer, RevocationRequest } from '@sigv4-keyd/hop-protocol';
import { hitsOf, type Hits } from './blast-radius.js';
import { part, type Child } from './element.js';
import { IncidentForm, type Scope, type Wanted } from './incident-form.js';
import { drawPreview } from './preview.js';
import { Failure, revoke } from './server.js';
import { typedConfirmation } from './typed-confirmation.js';

interface IncidentListeners {
  /** What is marked in the grid is another. */
  readonly changed: () => void;
  /** The overview is another. */
  readonly published: () => void;
  /** What fell into a scope is to be told. */
  readonly report: (scope: Scope) => void;
}

interface Preview {
  readonly request: RevocationRequest;
  readonly answer: RevocationAnswer;
}

/**
 * A revocation in two steps: the dry run shows what it hits, and only who types the incident's id then publishes it.
 * What is published is the very request that was shown: any change of the form begins anew.
 */
export class Incident {
  readonly #form: IncidentForm;
  readonly #problem = part('incident-problem', HTMLElement);
  readonly #preview = part('preview', HTMLElement);
  readonly #look = part('look', HTMLButtonElement);
  readonly #on: IncidentListeners;
  #shown: Preview | undefined;
  /** Counts what was asked for: an answer that comes late is not shown in place of a newer one. */
  #asked = 0;

  constructor(on: IncidentListeners) {
    this.#on = on;
    this.#form = new IncidentForm({
      submit: () => void this.#lookAtIt(),
      change: () => this.#drop(),
      report: () => this.#report(),
    });
  }

  get hits(): Hits {
    return hitsOf(this.#shown?.answer.published === false ? this.#shown.answer : undefined);
  }

  offer(overview: Overview): void {
    this.#form.offer(overview);
  }

  choose(region: string, date: string): void {
    this.#drop();
    this.#form.choose(region, date);
  }

  /** Fills in the form; what it hits is not asked yet. */
  chooseFor(given: Wanted): void {
    this.#drop();
    this.#form.fill(given);
  }

  #report(): void {
    const read = this.#form.readScope();
    if ('problem' in read) this.#tell(read.problem);
    else this.#on.report(read.scope);
  }

  async #lookAtIt(): Promise<void> {
    const read = this.#form.read();
    if ('problem' in read) {
      this.#tell(read.problem);
      return;
    }
    await this.#ask(async () => {
      const answer = await revoke({ ...read.request, dryRun: true });
      // By the clock of the master, which dates access keys, too.
      if (!this.#form.sparesNew) return { request: read.request, answer };
      const request = { ...read.request, issuedBefore: answer.statement.at };
      return { request, answer: await revoke({ ...request, dryRun: true }) };
    });
  }

  async #publish({ request }: Preview): Promise<void> {
    const isDone = await this.#ask(async () => ({ request, answer: await revoke(request) }));
    if (!isDone) return;
    this.#form.clear();
    this.#on.published();
  }

  async #ask(question: () => Promise<Preview>): Promise<boolean> {
    this.#asked += 1;
    const asked = this.#asked;
    this.#tell(undefined);
    this.#look.disabled = true;
    try {
      const preview = await question();
      // What was published is told, whatever the form says by now.
      if (asked !== this.#asked && !preview.answer.published) return false;
      this.#show(preview);
      return true;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#tell(`${error.message} Look at what is in force before you try again.`);
      return false;
    } finally {
      this.#look.disabled = false;
    }
  }

  #show(preview: Preview): void {
    this.#shown = preview;
    const { answer } = preview;
    const confirmation = answer.published ? [] : this.#confirmation(preview);
    this.#preview.replaceChildren(...nodesOf([...drawPreview(answer), ...confirmation]));
    this.#on.changed();
    part(answer.published ? 'look' : 'confirm-word', HTMLElement).focus();
  }

  #confirmation(preview: Preview): Child[] {
    const { incident } = preview.answer.statement;
    return [
      typedConfirmation({
        id: 'confirm',
        word: incident,
        warning: 'Only a lift signed with the offline root key takes it back.',
        deed: `Revoke ${incident}`,
        confirmed: () => this.#publish(preview),
      }),
    ];
  }

  #drop(): void {
    this.#asked += 1;
    this.#tell(undefined);
    if (this.#shown === undefined) return;
    this.#shown = undefined;
    this.#preview.replaceChildren();
    this.#on.changed();
  }

  #tell(problem: string | undefined): void {
    this.#problem.textContent = problem ?? '';
    this.#problem.hidden = problem === undefined;
  }
}

function nodesOf(children: readonly Child[]): (Node | string)[] {
  return children.filter((child) => child !== undefined);
}
