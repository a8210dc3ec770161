import { readFileSync } from 'node:fs';

/** Names of the files in a Secret or ConfigMap, and the text of those that are given as such. */
export type Files = ReadonlyMap<string, string | undefined>;

/** The Secrets and ConfigMaps that docs/kubernetes.md has the operator make: exactly what its commands say. */
export function madeByHand(): ReadonlyMap<string, Files> {
  const text = readFileSync('docs/kubernetes.md', 'utf8').replaceAll('\\\n', ' ');
  const made = new Map<string, Files>();
  for (const [, kind = '', name = '', rest = ''] of text.matchAll(
    /create (secret generic|secret tls|configmap) ([a-z-]+)([^\n]*)/g,
  )) {
    const files = new Map<string, string | undefined>();
    if (kind === 'secret tls') for (const file of ['tls.crt', 'tls.key']) files.set(file, undefined);
    for (const [, file = ''] of rest.matchAll(/--from-file=(?:[^ =]*\/)?([^ =/]+)/g)) files.set(file, undefined);
    for (const [, file = '', value] of rest.matchAll(/--from-literal=([a-z]+)="?([^ "]+)/g)) files.set(file, value);
    made.set(`${kind === 'configmap' ? 'ConfigMap' : 'Secret'} ${name}`, files);
  }
  return made;
}
