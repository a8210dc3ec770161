/** The fields of a form but for its file: values as text, by names in lower case, each name once. */
export type FormFields = ReadonlyMap<string, string>;

/** A form as it came, up to the content of its file. */
export interface PostForm {
  readonly fields: FormFields;
  /** As the client names its file; empty when it does not. */
  readonly filename: string;
}

const FIELD_NAME = /^[A-Za-z0-9._-]{1,128}$/;

/** Names of fields become names of headers and metadata; whatever could be read in two ways is none. */
export function isFieldName(text: string): boolean {
  return FIELD_NAME.test(text);
}

// The signature cannot cover itself, the policy is what is signed, and the file is known by its length alone.
const NEVER_IN_POLICY: ReadonlySet<string> = new Set(['file', 'policy', 'x-amz-signature']);

/** Whether the policy need not speak of a field, given by its name in lower case. */
export function isOutsidePolicy(name: string): boolean {
  return NEVER_IN_POLICY.has(name) || name.startsWith('x-ignore-');
}
