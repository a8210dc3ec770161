/** For an object under construction, where spreading what may be absent would take too long. */
export type Writable<T> = { -readonly [Field in keyof T]: T[Field] };
