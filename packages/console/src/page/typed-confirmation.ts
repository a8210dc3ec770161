import { element } from './element.js';

export interface Confirmation {
  /** Of the form; its field and its button have the ids `ID-word` and `ID-go`. */
  readonly id: string;
  /** What has to be typed. */
  readonly word: string;
  /** What the operator should know before. */
  readonly warning: string;
  /** What the button does. */
  readonly deed: string;
  readonly confirmed: () => Promise<void>;
}

/** The second confirmation of a change: nothing is sent unless the very word was typed, and then once. */
export function typedConfirmation({ id, word, warning, deed, confirmed }: Confirmation): HTMLFormElement {
  const typed = element('input', { id: `${id}-word`, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false' });
  const button = element('button', { id: `${id}-go`, type: 'submit', class: 'danger', disabled: true }, deed);
  typed.addEventListener('input', () => {
    button.disabled = typed.value !== word;
  });
  const form = element(
    'form',
    { id, class: 'confirmation', novalidate: true },
    element('p', {}, warning),
    element('label', {}, element('span', {}, 'Type ', element('strong', {}, word), ' to go on'), typed),
    button,
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (typed.value !== word || button.disabled) return;
    button.disabled = true;
    typed.disabled = true;
    void confirmed();
  });
  return form;
}
