import { quoted } from '../finding.js';
import type { Family } from '../mistake.js';
import { valuesOf } from '../sketch.js';

/** The host as the client called it, where something between calls it otherwise. */
export const hostMistakes: Family = function* (sketch, { request }) {
  const right = sketch.headers.get('host');
  if (right === undefined) return;
  const bare = right.replace(/:[0-9]+$/, '');
  const forwarded = ['x-forwarded-host', 'x-original-host', 'x-host'].flatMap((name) =>
    valuesOf(request.rawHeaders, name),
  );
  const named = new Set([
    ...forwarded,
    bare,
    ...PORTS.map((port) => `${bare}:${port}`),
    right.toLowerCase(),
    '',
    'localhost',
  ]);
  for (const host of named) {
    if (host === right) continue;
    const isPort = host.replace(/:[0-9]+$/, '') === bare;
    yield {
      about: 'header host',
      sketch: { ...sketch, headers: new Map([...sketch.headers, ['host', host]]) },
      finding: {
        id: isPort ? 'host-port' : 'host-rewritten',
        what: `The request was signed for the host ${quoted(host)} and arrived for ${quoted(right)}.`,
        next: isPort
          ? 'Write the port in both places, or in neither: it belongs to the host unless it is the default port.'
          : 'Let proxies keep the Host header (nginx: proxy_set_header Host $http_host).',
      },
    };
  }
};

const PORTS = [80, 443, 3000, 8000, 8080, 8443, 9000];
