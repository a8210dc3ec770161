import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import type { IVolume } from 'kubernetes-models/v1/Volume';
import type { MadeByHand } from './made-by-hand.js';
import { ofKind, type Resource } from './manifests.js';

/** What a container is told, by variables in the clear. Secrets come as files, and only so. */
export function environmentOf(
  container: IContainer,
  namespace: string,
  resources: readonly Resource[],
): Readonly<Record<string, string>> {
  const maps = ofKind(resources, 'ConfigMap').filter(({ metadata }) => metadata?.namespace === namespace);
  const fromMaps = (container.envFrom ?? []).map(({ configMapRef, secretRef }) => {
    if (secretRef) throw new Error(`${container.name} has a Secret in its environment`);
    const map = maps.find(({ metadata }) => metadata?.name === configMapRef?.name);
    if (!map) throw new Error(`${container.name}: there is no ConfigMap ${configMapRef?.name} in ${namespace}`);
    return map.data ?? {};
  });
  const own = (container.env ?? []).map(({ name, value }) => {
    if (value === undefined) throw new Error(`${container.name} has ${name} from elsewhere`);
    return [name, value];
  });
  return Object.assign({}, ...fromMaps, Object.fromEntries(own)) as Record<string, string>;
}

/**
 * Makes in `folder` what a container finds at its mount points: folders, and the files of `contents` where a volume
 * has a file of that name.
 */
export function mountIn(
  folder: string,
  {
    spec,
    container,
    madeByHand,
    resources,
  }: {
    readonly spec: IPodSpec;
    readonly container: IContainer;
    readonly madeByHand: ReadonlyMap<string, MadeByHand>;
    readonly resources: readonly Resource[];
  },
  contents: Readonly<Record<string, string>>,
): void {
  for (const { name, mountPath } of container.volumeMounts ?? []) {
    const volume = spec.volumes?.find((one) => one.name === name) ?? claimed(resources, name);
    if (!volume) throw new Error(`${container.name} mounts ${name}, which is no volume of the pod`);
    mkdirSync(join(folder, mountPath), { recursive: true });
    for (const file of filesIn(volume, madeByHand, resources)) {
      const content = contents[file];
      if (content === undefined) throw new Error(`the test has no content for ${file}`);
      mkdirSync(dirname(join(folder, mountPath, file)), { recursive: true });
      writeFileSync(join(folder, mountPath, file), content);
    }
  }
}

function claimed(resources: readonly Resource[], name: string): IVolume | undefined {
  const claims = ofKind(resources, 'StatefulSet').flatMap(({ spec }) => spec?.volumeClaimTemplates ?? []);
  return claims.some(({ metadata }) => metadata?.name === name) ? { name } : undefined;
}

/** The database's authority is made by CloudNativePG, beside each of its Clusters. */
const MADE_BY_OPERATORS: ReadonlyMap<string, readonly string[]> = new Map([['Secret database-ca', ['ca.crt']]]);

function filesIn(
  { name, secret, configMap }: IVolume,
  madeByHand: ReadonlyMap<string, MadeByHand>,
  resources: readonly Resource[],
): readonly string[] {
  // Both ways of getting certificates write these: the CSI driver by default, spiffe-helper as it is configured.
  if (name === 'credentials') return ['tls.crt', 'tls.key', 'ca.crt'];
  const source = secret ? `Secret ${secret.secretName}` : configMap ? `ConfigMap ${configMap.name}` : undefined;
  if (source === undefined) return [];
  const rendered = ofKind(resources, 'ConfigMap').find(({ metadata }) => metadata?.name === configMap?.name);
  const made = madeByHand.get(source)?.files.keys() ?? MADE_BY_OPERATORS.get(source);
  if (!made && !rendered) throw new Error(`docs/kubernetes.md does not make ${source}`);
  const all = [...(made ?? Object.keys(rendered?.data ?? {}))];
  const items = secret?.items ?? configMap?.items;
  if (!items) return all;
  for (const { key } of items) if (!all.includes(key)) throw new Error(`${source} has no ${key}`);
  return items.map(({ path }) => path);
}
