/**
 * Everything that a span can say: the names of OpenTelemetry's semantic conventions, and ours. No value of any of them
 * is a key, a signature, a token, a secret, a query, a path of a client, or an access key id.
 */
export const SPAN_ATTRIBUTES = {
  'http.request.method': 'the method; `_OTHER` for one that HTTP itself does not know',
  'http.response.status_code': 'what was answered',
  'http.route': 'the route, as it is defined, where a tier is asked',
  'url.template': 'the same, where a tier asks',
  'url.scheme': '`http` or `https`, at a front of an edge',
  'server.address': 'the host that is asked, by the configuration',
  'server.port': 'its port',
  'db.system.name': '`postgresql`',
  'db.operation.name': 'the first word of a statement',
  'db.collection.name': 'the table that it names first',
  'error.type':
    'the code of an error, or the reason of a refusal, where the asker is not at fault; or how a connection failed',
  'keyd.request_id': 'the id of the request that crosses the tiers, as in every log line',
  'keyd.peer': 'the SPIFFE id of who asks, by its certificate',
  'keyd.front': '`proxy` or `forward-auth`',
  'keyd.verdict': '`accepted` or `refused`',
  'keyd.refusal_reason': 'why a request was refused',
  'keyd.mechanism': 'how an accepted request was signed',
  'keyd.keys': 'how many access keys are asked for, or have a key derived',
} as const;

export type SpanAttribute = keyof typeof SPAN_ATTRIBUTES;

/** Attributes of the closed set. */
export type SpanFacts = Partial<Readonly<Record<SpanAttribute, string | number>>>;
