import { pairsOf } from './signed-requests.js';
import type { Arrival } from './signed-requests.js';

/** Each byte of the method, the target and every signed value, changed to its neighbour. */
export function* singleByteChanges(arrival: Arrival): Generator<readonly [what: string, mutated: Arrival]> {
  const { head } = arrival;
  for (const changed of neighbours(head.method)) {
    yield [`method ${changed}`, { ...arrival, head: { ...head, method: changed } }];
  }
  for (const changed of neighbours(head.target)) {
    yield [`target ${changed}`, { ...arrival, head: { ...head, target: changed } }];
  }
  for (const [at, [name, value]] of pairsOf(head).entries()) {
    for (const changed of neighbours(value)) {
      const rawHeaders = head.rawHeaders.with(2 * at + 1, changed);
      yield [`${name}: ${changed}`, { ...arrival, head: { ...head, rawHeaders } }];
    }
  }
}

function* neighbours(text: string): Generator<string> {
  for (let at = 0; at < text.length; at += 1) {
    yield text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);
  }
}
