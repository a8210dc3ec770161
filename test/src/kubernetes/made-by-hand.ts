import { readFileSync } from 'node:fs';

/** Names of the files in a Secret or ConfigMap, and the text of those that are given as such. */
export type Files = ReadonlyMap<string, string | undefined>;

/** A Secret or ConfigMap that docs/kubernetes.md has the operator make. */
export interface MadeByHand {
  readonly namespaces: readonly string[];
  readonly files: Files;
}

/** `kubectl -n NAMESPACE create KIND NAME --from-...` */
const COMMAND = /-n (\S+) create (secret generic|secret tls|configmap) ([a-z-]+)([^\n]*)/g;

/** What docs/kubernetes.md has the operator make, by `Secret NAME` or `ConfigMap NAME`, as its commands say it. */
export function madeByHand(): ReadonlyMap<string, MadeByHand> {
  const text = readFileSync('docs/kubernetes.md', 'utf8').replaceAll('\\\n', ' ');
  const every = [...text.matchAll(/namespaces="(?:\$namespaces )?([^"]+)"/g)].flatMap(([, names = '']) =>
    names.split(' '),
  );
  return new Map(
    [...text.matchAll(COMMAND)].map(([, namespace = '', kind = '', name = '', options = '']) => [
      `${kind === 'configmap' ? 'ConfigMap' : 'Secret'} ${name}`,
      {
        namespaces: namespace === '$namespace' ? every : [namespace],
        files:
          kind === 'secret tls' ? new Map(['tls.crt', 'tls.key'].map((file) => [file, undefined])) : filesOf(options),
      },
    ]),
  );
}

function filesOf(options: string): Files {
  const files = new Map<string, string | undefined>();
  for (const [, file = ''] of options.matchAll(/--from-file=(?:[^ =]*\/)?([^ =/]+)/g)) files.set(file, undefined);
  for (const [, file = '', value] of options.matchAll(/--from-literal=([a-z]+)="?([^ "]+)/g)) files.set(file, value);
  return files;
}
