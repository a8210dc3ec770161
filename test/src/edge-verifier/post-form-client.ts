import { signPostPolicy, type Condition } from '@sigv4-keyd/sigv4-core';
import { ACCESS_KEY_ID, HOST, NOW, SECRET, type Message } from './client.js';

export const BOUNDARY = 'of-these-tests';

export interface FormDraft {
  readonly target?: string;
  readonly host?: string;
  /** Headers beside host and content-type. */
  readonly headers?: readonly (readonly [string, string])[];
  readonly contentType?: string;
  readonly bucket?: string;
  /** Fields that are signed, beside those of the signature. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly conditions?: readonly Condition[];
  /** Fields over the signed ones; undefined leaves one out. */
  readonly changed?: Readonly<Record<string, string | undefined>>;
  readonly file?: string | Buffer;
  readonly filename?: string;
  /** The whole body in place of what is made of the rest. */
  readonly body?: string | Buffer;
  readonly accessKeyId?: string;
  readonly secret?: string;
  readonly sessionToken?: string;
  readonly region?: string;
  readonly service?: string;
  readonly now?: number;
  readonly expiresSeconds?: number;
}

/** All fields of a form but its file. */
export function signedFields(draft: FormDraft = {}): readonly (readonly [string, string])[] {
  const { bucket = 'photos', fields = { key: 'user/cat.jpg' }, conditions = [], sessionToken } = draft;
  const { accessKeyId = ACCESS_KEY_ID, secret: secretAccessKey = SECRET } = draft;
  const { now = NOW, region = 'eu-west-1', service = 's3', expiresSeconds = 3600 } = draft;
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
  const signing = { now, region, service, expiresSeconds };
  const signed: Record<string, string | undefined> = {
    ...signPostPolicy({ bucket, fields, conditions }, credentials, signing),
    ...draft.changed,
  };
  return Object.entries(signed).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
}

/** A part of a form as browsers write it. */
export function part(name: string, value: string | Buffer, more = ''): Buffer {
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(value), Buffer.from('\r\n')]);
}

/** The part that holds the file. */
export function filePart(file: string | Buffer, filename = 'cat.jpg'): Buffer {
  return part('file', file, `; filename="${filename}"\r\nContent-Type: image/jpeg`);
}

export const END = `--${BOUNDARY}--\r\n`;

/** A form as a browser sends it. */
export function form(draft: FormDraft = {}): Message {
  const { target = '/photos', host = HOST, headers = [], file = 'the content', filename } = draft;
  const contentType = draft.contentType ?? `multipart/form-data; boundary=${BOUNDARY}`;
  const parts = (): Buffer[] => signedFields(draft).map(([name, value]) => part(name, value));
  const body = draft.body ?? Buffer.concat([...parts(), filePart(file, filename), Buffer.from(END)]);
  return {
    method: 'POST',
    target,
    headers: [['host', host], ['content-type', contentType], ...headers],
    body: Buffer.from(body),
  };
}
