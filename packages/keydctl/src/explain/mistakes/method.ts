import { quoted } from '../finding.js';
import type { Family } from '../mistake.js';

/** Another method than the one that arrived. */
export const methodMistakes: Family = function* (sketch) {
  for (const method of [
    'GET',
    'HEAD',
    'PUT',
    'POST',
    'DELETE',
    'PATCH',
    sketch.method.toLowerCase(),
    sketch.method.toUpperCase(),
  ]) {
    if (method === sketch.method) continue;
    yield {
      about: 'method',
      sketch: { ...sketch, method },
      finding: {
        id: 'method-changed',
        what: `The request was signed as ${quoted(method)} and arrived as ${quoted(sketch.method)}.`,
        next: 'Sign the method that is sent, in upper case; look for redirects on the way.',
      },
    };
  }
};
