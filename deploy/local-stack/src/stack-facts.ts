import { join } from 'node:path';
import type { CreatedAccessKey } from '@sigv4-keyd/hop-protocol';
import { nameOf, OPERATOR } from './certificates.js';
import type { Child } from './child.js';
import type { PortPlan } from './ports.js';
import type { StateFolder } from './state-folder.js';
import { local } from './tiers.js';

/** Everything that a script needs of a running stack; `--json` prints it on one line. Holds a secret. */
export interface StackFacts {
  readonly edges: readonly {
    readonly region: string;
    readonly service: string;
    /** Base URL of the reverse proxy: what clients use as their endpoint. */
    readonly proxy: string;
    /** Base URL that nginx auth_request and its like ask. */
    readonly forwardAuth: string;
    readonly health: string;
  }[];
  readonly regions: readonly { readonly region: string; readonly url: string; readonly health: string }[];
  readonly master: { readonly url: string; readonly health: string };
  readonly upstream: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Folder with the operator's tls.crt, tls.key and ca.crt. */
  readonly credentials: string;
  /** Folder with the keys of the feed, the root key among them. */
  readonly feedKeys: string;
  /** The authority's certificate. */
  readonly ca: string;
  readonly dir: string;
  readonly logs: string;
  readonly pids: Readonly<Record<string, number>>;
}

export interface StackParts {
  readonly state: StateFolder;
  readonly plan: PortPlan;
  readonly accessKey: CreatedAccessKey;
  readonly children: readonly Child[];
}

export function stackFacts({ state, plan, accessKey, children }: StackParts): StackFacts {
  return {
    edges: plan.edges.map(({ region, service, proxy, forwardAuth, health }) => ({
      region,
      service,
      proxy: http(proxy),
      forwardAuth: http(forwardAuth),
      health: http(health),
    })),
    regions: plan.regions.map(({ region, listen, health }) => ({ region, url: https(listen), health: http(health) })),
    master: { url: https(plan.master.listen), health: http(plan.master.health) },
    upstream: http(plan.upstream),
    accessKeyId: accessKey.accessKeyId,
    secretAccessKey: accessKey.secretAccessKey,
    credentials: join(state.pki, nameOf(OPERATOR)),
    feedKeys: state.feedKeys,
    ca: join(state.authority, 'ca.crt'),
    dir: state.folder,
    logs: state.logs,
    pids: Object.fromEntries(children.map(({ name, pid }) => [name, pid])),
  };
}

function http(port: number): string {
  return `http://${local(port)}`;
}

function https(port: number): string {
  return `https://${local(port)}`;
}
