/** Which of the hosts will do, in libpq's words. master-keyd writes, so that the others are not among them. */
const SESSION_ATTRIBUTES = ['read-write', 'primary', 'any'] as const;
export type SessionAttributes = (typeof SESSION_ATTRIBUTES)[number];

export interface DatabaseHost {
  /** HOST:PORT, for messages. */
  readonly name: string;
  /** Of this host alone. Holds a password. */
  readonly connectionString: string;
}

/** What a database URL says. */
export interface DatabaseUrl {
  /** At least one. */
  readonly hosts: readonly DatabaseHost[];
  readonly sessionAttributes: SessionAttributes;
}

// Host names, addresses and Unix sockets (written %2F...) have no comma, so that one parts two hosts.
const DATABASE_URL = /^(postgres(?:ql)?:\/\/)((?:[^/?#]*@)?)([^@/?#]*)(\/[^/?#]+(?:\?[^#]*)?)$/;

/** `postgres://USER:PASSWORD@HOST:PORT,HOST:PORT/DATABASE?target_session_attrs=read-write`; undefined for any other. */
export function parseDatabaseUrl(text: string): DatabaseUrl | undefined {
  const [, scheme = '', user = '', authority, rest = ''] = DATABASE_URL.exec(text) ?? [];
  if (authority === undefined) return undefined;
  const urls = authority.split(',').map((host) => oneHost(`${scheme}${user}${host}${rest}`));
  const hosts = urls.flatMap((url) => (url === undefined ? [] : [hostOf(url)]));
  if (hosts.length < urls.length) return undefined;
  const sessionAttributes = attributesOf(rest);
  return sessionAttributes && { hosts, sessionAttributes };
}

function oneHost(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.searchParams.get('host')?.includes(',') || !isDecodable(url.host) ? undefined : url;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function hostOf(url: URL): DatabaseHost {
  const name = url.host === '' ? (url.searchParams.get('host') ?? 'localhost') : decodeURIComponent(url.host);
  // The driver knows no such setting; it is ours to see to.
  if (url.searchParams.has('target_session_attrs')) url.searchParams.delete('target_session_attrs');
  return { name, connectionString: url.href };
}

function attributesOf(rest: string): SessionAttributes | undefined {
  const given = new URL(rest, 'postgres://host').searchParams.get('target_session_attrs') ?? 'read-write';
  return SESSION_ATTRIBUTES.find((attributes) => attributes === given);
}
