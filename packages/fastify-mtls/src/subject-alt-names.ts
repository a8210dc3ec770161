/**
 * Of an X509Certificate, whose typings promise a string. It is undefined without the extension, and null for one that
 * OpenSSL cannot read.
 */
export interface WithAltNames {
  readonly subjectAltName: string | null | undefined;
}

export interface SubjectAltNames {
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  /** Names of every other type: e-mail, directory names, ... */
  readonly others: readonly string[];
}

// Node writes 'URI:spiffe://a/b, DNS:"odd\"one"': it quotes (as JSON) every value that holds a comma, a quote or a control
// character, so that a value can never pass for two names. The sticky expression must consume the text to its end.
const NAME = /([A-Za-z ]+):([^",\\]*)("(?:[^"\\]|\\.)*")?(?:, |$)/y;

/** Undefined when the extension cannot be read to its last byte: then nothing in it may be trusted. */
export function subjectAltNames({ subjectAltName: text }: WithAltNames): SubjectAltNames | undefined {
  if (text === null) return undefined;
  const names = { uris: new Array<string>(), dnsNames: new Array<string>(), ipAddresses: new Array<string>() };
  const others: string[] = [];
  NAME.lastIndex = 0;
  for (let at = 0; text !== undefined && at < text.length; at = NAME.lastIndex) {
    NAME.lastIndex = at;
    const found = NAME.exec(text);
    if (found === null) return undefined;
    const [, type = '', plain = '', quoted] = found;
    const value = quoted === undefined ? plain : plain + unquote(quoted);
    if (type === 'URI') names.uris.push(value);
    else if (type === 'DNS') names.dnsNames.push(value);
    else if (type === 'IP Address') names.ipAddresses.push(value);
    else others.push(`${type}:${value}`);
  }
  return { ...names, others };
}

function unquote(quoted: string): string {
  const value: unknown = JSON.parse(quoted);
  return String(value);
}
