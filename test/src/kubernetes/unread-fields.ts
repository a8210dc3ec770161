/**
 * The fields that `reader` did not look at. The schemas of Kubernetes let pass what they do not know, and an API server
 * then drops it: a misspelt field is one that no schema reads.
 */
export function unreadFields(value: object, reader: (watched: object) => unknown): readonly string[] {
  const unread = new Set<string>();
  reader(watch(value, '', unread));
  return [...unread];
}

function watch(value: object, path: string, unread: Set<string>): object {
  const children = new Map<string, unknown>();
  for (const key of Object.keys(value)) unread.add(`${path}/${key}`);
  return new Proxy(value, {
    get(target, key, receiver) {
      const field: unknown = Reflect.get(target, key, receiver);
      if (typeof key === 'symbol') return field;
      unread.delete(`${path}/${key}`);
      if (typeof field !== 'object' || field === null) return field;
      if (!children.has(key)) children.set(key, watch(field, `${path}/${key}`, unread));
      return children.get(key);
    },
  });
}
