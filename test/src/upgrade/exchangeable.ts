type Json = Readonly<Record<string, unknown>>;

/** What a schema says for readers, and no message fails for. */
const FOR_READERS: ReadonlySet<string> = new Set([
  'description',
  'example',
  'title',
  'default',
  'properties',
  'content',
]);

/**
 * How messages of one schema and of another could not be read for each other, in words; empty when either end may be of
 * either release. A part that is new is allowed where it may be absent, and where the release before reads over it.
 */
export function hindrances(before: unknown, now: unknown, at = 'the message'): readonly string[] {
  if (!isJson(before) || !isJson(now)) {
    return JSON.stringify(before) === JSON.stringify(now) ? [] : [`${at}: ${shown(before)} has become ${shown(now)}`];
  }
  const rules = [...new Set([...Object.keys(before), ...Object.keys(now)])].filter((rule) => !FOR_READERS.has(rule));
  return [
    ...rules.flatMap((rule) => hindrancesOfRule(rule, [before[rule], now[rule]], at)),
    ...hindrancesOfParts(before, now, at),
  ];
}

function hindrancesOfRule(rule: string, [before, now]: readonly [unknown, unknown], at: string): readonly string[] {
  // Names and words of a closed set have no order.
  if (isList(before) && isList(now) && ['required', 'enum', 'type'].includes(rule)) {
    return hindrances(JSON.stringify(before.toSorted()), JSON.stringify(now.toSorted()), `${at}, ${rule}`);
  }
  if (isList(before) && isList(now) && before.length === now.length) {
    return before.flatMap((one, i) => hindrances(one, now[i], `${at}, ${rule} ${i}`));
  }
  return hindrances(before, now, `${at}, ${rule}`);
}

function hindrancesOfParts(before: Json, now: Json, at: string): readonly string[] {
  const present = partsOf(now, 'properties');
  const old = partsOf(before, 'properties');
  const isClosed = before['additionalProperties'] === false;
  return [
    ...hindrancesOfKept(old, present, at),
    // Of several media types the asker names those that it reads.
    ...hindrancesOfKept(partsOf(before, 'content'), partsOf(now, 'content'), at),
    ...Object.keys(present)
      .filter((name) => !(name in old) && isClosed)
      .map((name) => `${at}.${name} is new, and refused by the release before`),
  ];
}

function hindrancesOfKept(old: Json, present: Json, at: string): readonly string[] {
  return Object.keys(old).flatMap((name) =>
    name in present ? hindrances(old[name], present[name], `${at}.${name}`) : [`${at}.${name} is gone`],
  );
}

function partsOf(schema: Json, kind: 'properties' | 'content'): Json {
  const parts = schema[kind];
  return isJson(parts) ? parts : {};
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 100);
}
