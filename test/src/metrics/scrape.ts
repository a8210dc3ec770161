import { request } from 'undici';

/** One line of a scrape. */
export interface Scraped {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What a service answers Prometheus, read by the rules of the text format. */
export class Scrape {
  readonly text: string;
  readonly samples: readonly Scraped[];
  /** The type that each metric is declared as. */
  readonly types: ReadonlyMap<string, string>;

  constructor(text: string) {
    this.text = text;
    const lines = text.split('\n');
    this.types = new Map(
      lines.flatMap((line) => {
        const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
        return name !== undefined && type !== undefined ? [[name, type] as const] : [];
      }),
    );
    this.samples = lines.filter((line) => line !== '' && !line.startsWith('#')).map(sampleOf);
  }

  /** The value of the one sample of this name and these labels; undefined: there is none. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const found = this.samples.filter(
      (sample) =>
        sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    );
    if (found.length > 1) throw new Error(`${name} has ${found.length} samples with these labels`);
    return found[0]?.value;
  }
}

/** What a running service tells of one metric now. */
export async function valueAt(
  { addresses }: { readonly addresses: Readonly<Record<string, string>> },
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number | undefined> {
  return (await scrape(addresses['metrics'] ?? '')).value(name, labels);
}

/** `at`: HOST:PORT. */
export async function scrape(at: string): Promise<Scrape> {
  const { statusCode, headers, body } = await request(`http://${at}/metrics`);
  const text = await body.text();
  if (statusCode !== 200 || !String(headers['content-type']).startsWith('text/plain; version=0.0.4')) {
    throw new Error(`${at} answered ${statusCode}: ${text.slice(0, 200)}`);
  }
  return new Scrape(text);
}

function sampleOf(line: string): Scraped {
  const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
  const [, name, labels = '', value] = match ?? [];
  if (name === undefined || value === undefined) throw new Error(`no line of the text format: ${line}`);
  const pairs = [...labels.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g)];
  return {
    name,
    labels: Object.fromEntries(pairs.map(([, label = '', text = '']) => [label, text])),
    value: value === '+Inf' ? Infinity : value === '-Inf' ? -Infinity : Number(value),
  };
}
