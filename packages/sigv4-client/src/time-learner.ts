import type { Dispatcher } from 'undici';
import type { SigningClock } from './signing-clock.js';

type Handler = Required<Pick<Dispatcher.DispatchHandler, 'onRequestStart' | 'onRequestUpgrade' | 'onResponseStart'>> &
  Dispatcher.DispatchHandler;

/** Hears an answer first: one that shows our clock to be wrong is dropped, and the request sent again. */
export class TimeLearner implements Dispatcher.DispatchHandler {
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #clock: SigningClock;
  readonly #again: () => void;
  #isDropped = false;

  constructor(handler: Dispatcher.DispatchHandler, clock: SigningClock, again: () => void) {
    this.#handler = handler;
    this.#clock = clock;
    this.#again = again;
  }

  onRequestStart: Handler['onRequestStart'] = (controller, context: unknown) => {
    this.#handler.onRequestStart?.(controller, context);
  };

  onRequestUpgrade: Handler['onRequestUpgrade'] = (...upgrade) => {
    this.#handler.onRequestUpgrade?.(...upgrade);
  };

  onResponseStart: Handler['onResponseStart'] = (controller, status, headers, message) => {
    const header = (name: string): string | undefined => String(headers[name] ?? '');
    this.#isDropped = this.#clock.learnFrom(status, header);
    if (!this.#isDropped) this.#handler.onResponseStart?.(controller, status, headers, message);
  };

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#isDropped) this.#handler.onResponseData?.(controller, chunk);
  }

  onResponseEnd(
    controller: Dispatcher.DispatchController,
    trailers: Record<string, string | string[] | undefined>,
  ): void {
    if (this.#isDropped) this.#again();
    else this.#handler.onResponseEnd?.(controller, trailers);
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    this.#handler.onResponseError?.(controller, error);
  }
}
