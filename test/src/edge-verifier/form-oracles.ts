import { Busboy } from '@fastify/busboy';

/** What a reader took a form for: fields by name in lower case, the file under `file`; bytes as latin1. */
export type ReadForm = Readonly<Record<string, string>>;

export interface FormOracle {
  readonly name: string;
  /** Rejects, or gives undefined, when the reader does not take the bytes for a form. */
  readonly read: (body: Buffer, boundary: string) => Promise<ReadForm | undefined>;
}

function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** Adds a value; one name twice is told by joining both, so that no reader can hide one of them. */
function add(form: Record<string, string>, name: string, value: string): void {
  const key = name.toLowerCase();
  form[key] = key in form ? `${form[key] ?? ''} AND ${value}` : value;
}

function readWithBusboy(body: Buffer, boundary: string): Promise<ReadForm> {
  return new Promise((resolve, reject) => {
    const form: Record<string, string> = {};
    const contentType = `multipart/form-data; boundary=${boundary}`;
    const busboy = new Busboy({ headers: { 'content-type': contentType }, preservePath: true });
    busboy.on('field', (name, value) => add(form, name, latin1(value)));
    busboy.on('file', (name, file) => {
      const chunks: Buffer[] = [];
      file.on('data', (chunk: Buffer) => chunks.push(chunk));
      file.on('end', () => add(form, name, Buffer.concat(chunks).toString('latin1')));
      file.on('error', reject);
    });
    busboy.on('finish', () => resolve(form));
    busboy.on('error', reject);
    busboy.end(body);
  });
}

/** What fetch gives servers and clients alike to read a body with. */
interface FormBody {
  formData(): Promise<Iterable<readonly [string, string | Blob]>>;
}

async function readWithFetch(body: Buffer, boundary: string): Promise<ReadForm> {
  const response: FormBody = new Response(body, {
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  });
  const form: Record<string, string> = {};
  for (const [name, value] of await response.formData()) {
    add(
      form,
      name,
      typeof value === 'string' ? latin1(value) : Buffer.from(await value.arrayBuffer()).toString('latin1'),
    );
  }
  return form;
}

/** Readers that know nothing of ours. */
export const FORM_ORACLES: readonly FormOracle[] = [
  { name: '@fastify/busboy', read: readWithBusboy },
  { name: 'fetch', read: readWithFetch },
];
