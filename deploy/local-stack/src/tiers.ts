import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { feedKeysFolder, ledgerKeyFolder } from '@sigv4-keyd/keydctl';
import { nameOf, tlsFilesOf, TRUST_DOMAIN } from './certificates.js';
import type { ChildProgram } from './child.js';
import type { EdgePorts, HopPorts, PortPlan } from './ports.js';
import type { StateFolder } from './state-folder.js';

/** The programs of the stack, each with its settings. */
export interface Tiers {
  readonly upstream: ChildProgram;
  readonly master: ChildProgram;
  readonly regions: readonly ChildProgram[];
  readonly edges: readonly ChildProgram[];
}

export function tiersOf(state: StateFolder, plan: PortPlan): Tiers {
  return {
    upstream: {
      name: 'upstream',
      script: fileURLToPath(new URL('echo-upstream.js', import.meta.url)),
      env: { KEYD_LISTEN: local(plan.upstream) },
      confinesItself: false,
      ready: `http://${local(plan.upstream)}/`,
    },
    master: masterProgram(state, plan.master),
    regions: plan.regions.map((ports) => regionProgram(state, plan, ports)),
    edges: plan.edges.map((ports) => edgeProgram(state, plan, ports)),
  };
}

export function local(port: number): string {
  return `127.0.0.1:${port}`;
}

function masterProgram(state: StateFolder, ports: HopPorts): ChildProgram {
  const feedKeys = feedKeysFolder(state.feedKeys);
  return {
    name: 'master',
    script: mainOf('@sigv4-keyd/master-keyd'),
    env: {
      ...ownSettings(state, 'master', ports.health),
      KEYD_LISTEN: local(ports.listen),
      KEYD_DATABASE_URL_FILE: state.databaseUrl,
      KEYD_CUSTODY_KEY_FILE: state.custodyKey,
      KEYD_REVOCATION_KEY_FILE: feedKeys.revocation,
      KEYD_BEACON_KEY_FILE: feedKeys.beacon,
      KEYD_LEDGER_KEY_FILE: ledgerKeyFolder(state.ledgerKey).signer,
    },
    confinesItself: true,
    ready: readyOf(ports.health),
  };
}

function regionProgram(
  state: StateFolder,
  plan: PortPlan,
  { region, listen, health }: HopPorts & { readonly region: string },
): ChildProgram {
  const name = nameOf({ role: 'region', trustDomain: TRUST_DOMAIN, region, name: '' });
  return {
    name,
    script: mainOf('@sigv4-keyd/region-keyd'),
    env: {
      ...ownSettings(state, name, health),
      KEYD_STATE_FOLDER: join(state.tiers, name),
      KEYD_LEDGER_KEYS_FILE: ledgerKeyFolder(state.ledgerKey).verifier,
      KEYD_LISTEN: local(listen),
      KEYD_MASTERS: `https://${local(plan.master.listen)}`,
    },
    confinesItself: true,
    ready: readyOf(health),
  };
}

function edgeProgram(state: StateFolder, plan: PortPlan, { region, service, ...ports }: EdgePorts): ChildProgram {
  const name = nameOf({ role: 'edge', trustDomain: TRUST_DOMAIN, region, service, name: '' });
  const own = plan.regions.filter((parent) => parent.region === region);
  return {
    name,
    script: mainOf('@sigv4-keyd/edge-verifier'),
    env: {
      ...ownSettings(state, name, ports.health),
      KEYD_STATE_FOLDER: join(state.tiers, name),
      KEYD_LEDGER_KEYS_FILE: ledgerKeyFolder(state.ledgerKey).verifier,
      KEYD_REGIONS: own.map(({ listen }) => `https://${local(listen)}`).join(','),
      KEYD_PROXY_LISTEN: local(ports.proxy),
      KEYD_UPSTREAM: `http://${local(plan.upstream)}`,
      KEYD_FORWARD_AUTH_LISTEN: local(ports.forwardAuth),
      KEYD_EXTERNAL_HOSTS: hostsOf(service, [ports.proxy, ports.forwardAuth]).join(','),
      KEYD_PAYLOAD_MODES: service === 's3' ? S3_MODES : 'auto',
    },
    confinesItself: true,
    ready: readyOf(ports.health),
  };
}

/** All that S3 clients send; curl uploads files with an unsigned body. */
const S3_MODES = 'exact,body,unsigned,streaming-signed,streaming-signed-trailer,streaming-unsigned-trailer';

/** S3 clients may put the bucket before the host. */
function hostsOf(service: string, ports: readonly number[]): readonly string[] {
  const names = ['127.0.0.1', 'localhost', ...(service === 's3' ? ['*.localhost'] : [])];
  return ports.flatMap((port) => names.map((name) => `${name}:${port}`));
}

function ownSettings(state: StateFolder, name: string, healthPort: number): Readonly<Record<string, string>> {
  const { cert, key, ca } = tlsFilesOf(state, name);
  return {
    KEYD_TRUST_DOMAIN: TRUST_DOMAIN,
    KEYD_TLS_CERT: cert,
    KEYD_TLS_KEY: key,
    KEYD_TLS_CA: ca,
    KEYD_FEED_KEYS_FILE: feedKeysFolder(state.feedKeys).public,
    KEYD_HEALTH_LISTEN: local(healthPort),
  };
}

function readyOf(healthPort: number): string {
  return `http://${local(healthPort)}/health/ready`;
}

/** A service's program lies beside its library. */
function mainOf(service: string): string {
  return fileURLToPath(new URL('main.js', import.meta.resolve(service)));
}
