import type { Examined } from '../examined.js';
import type { VerificationPolicy } from '../policy.js';
import type { RequestHead } from '../request-head.js';
import { HeaderNames } from './header-names.js';
import { HeaderShape } from './header-shape.js';
import { PresignedShape } from './presigned-shape.js';
import type { RequestShape } from './request-shape.js';
import { ScopeDays } from './scope-days.js';

/** Lists of header names that are remembered: one a slot, the newest. */
const SLOTS = 256;
const MOST_SHAPES = 8;

interface Slot {
  readonly names: HeaderNames;
  /** Newest first. */
  readonly shapes: readonly RequestShape[];
}

/**
 * The shapes of the requests that one policy accepted. None of their texts is secret: names of headers and parameters,
 * a region, a service. What it holds and what a look costs are bounded, whatever is sent.
 */
export class RequestShapes {
  readonly #policy: VerificationPolicy;
  readonly #days: ScopeDays;
  readonly #slots: (Slot | undefined)[] = [];

  constructor(policy: VerificationPolicy) {
    this.#policy = policy;
    this.#days = new ScopeDays(policy.region, policy.service);
  }

  /** The request as the reference examines it; undefined when its shape is not known or anything speaks against it. */
  examine(head: RequestHead, now: number): Examined | undefined {
    const { rawHeaders } = head;
    const slot = this.#slots[slotOf(rawHeaders)];
    if (slot?.names.areThoseOf(rawHeaders) !== true) return undefined;
    for (const shape of slot.shapes) {
      const examined = shape.examine(head, now, this.#days);
      if (examined !== undefined) return examined;
    }
    return undefined;
  }

  /** Remembers the shape of an accepted request, where it is one that later requests may have. */
  learn(head: RequestHead): void {
    const names = HeaderNames.of(head.rawHeaders);
    if (names === undefined) return;
    const kind = names.places.has('authorization') ? HeaderShape : PresignedShape;
    const shape = kind.of(head, names, this.#policy);
    if (shape === undefined) return;
    const number = slotOf(head.rawHeaders);
    const slot = this.#slots[number];
    const known = slot?.names.areThoseOf(head.rawHeaders) === true ? slot.shapes : [];
    if (known.some(({ key }) => key === shape.key)) return;
    this.#slots[number] = { names, shapes: [shape, ...known.slice(0, MOST_SHAPES - 1)] };
  }
}

/** The lengths of the names tell most lists apart; which names they are is compared afterwards. */
function slotOf(rawHeaders: readonly string[]): number {
  let mixed = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) mixed = (mixed * 31 + (rawHeaders[at]?.length ?? 0)) | 0;
  return (mixed >>> 0) % SLOTS;
}
