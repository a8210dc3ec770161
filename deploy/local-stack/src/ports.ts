/** Every address of the stack follows from one number, so that several stacks can run side by side. */
export interface PortPlan {
  readonly postgres: number;
  readonly upstream: number;
  readonly master: HopPorts;
  readonly regions: readonly (HopPorts & { readonly region: string })[];
  readonly edges: readonly EdgePorts[];
}

export interface HopPorts {
  readonly listen: number;
  readonly health: number;
}

export interface EdgePorts {
  readonly region: string;
  readonly service: string;
  readonly proxy: number;
  readonly forwardAuth: number;
  readonly health: number;
}

export const REGIONS = ['us-east-1', 'eu-west-1'] as const;
export const SERVICES = ['s3', 'execute-api'] as const;

export const DEFAULT_PORT_BASE = 7400;

/** One past the highest offset below. */
const SPAN = 80;
export const HIGHEST_PORT_BASE = 65_536 - SPAN;

export function portPlan(base: number): PortPlan {
  const scopes = REGIONS.flatMap((region) => SERVICES.map((service) => ({ region, service })));
  return {
    edges: scopes.map((scope, at) => ({
      ...scope,
      proxy: base + at,
      forwardAuth: base + 10 + at,
      health: base + 20 + at,
    })),
    regions: REGIONS.map((region, at) => ({ region, listen: base + 30 + at, health: base + 40 + at })),
    master: { listen: base + 50, health: base + 60 },
    postgres: base + 70,
    upstream: base + 71,
  };
}

/** Each port and what it is for, for messages. */
export function portsOf(plan: PortPlan, withPostgres: boolean): ReadonlyMap<number, string> {
  const ports = new Map<number, string>();
  for (const { region, service, proxy, forwardAuth, health } of plan.edges) {
    ports.set(proxy, `the edge of ${service} in ${region}`);
    ports.set(forwardAuth, `forward auth of ${service} in ${region}`);
    ports.set(health, `the health of the edge of ${service} in ${region}`);
  }
  for (const { region, listen, health } of plan.regions) {
    ports.set(listen, `region-keyd of ${region}`);
    ports.set(health, `the health of region-keyd of ${region}`);
  }
  ports.set(plan.master.listen, 'master-keyd');
  ports.set(plan.master.health, 'the health of master-keyd');
  ports.set(plan.upstream, 'the upstream');
  if (withPostgres) ports.set(plan.postgres, 'PostgreSQL');
  return ports;
}
