import type { Finding } from './finding.js';
import { quoted } from './finding.js';
import type { Presented } from './presented.js';

/** What the endpoint is for, as far as the user knows. */
export interface Endpoint {
  readonly region?: string | undefined;
  readonly service?: string | undefined;
}

/** A scope that is right in itself, and for somewhere else. */
export function endpointFindings({ region, service }: Endpoint, presented: Presented): readonly Finding[] {
  const findings: Finding[] = [];
  if (region !== undefined && region !== presented.region) {
    const what = `It is signed for the region ${quoted(presented.region)}; this endpoint is ${quoted(region)}.`;
    findings.push({ id: 'wrong-region', what, next: 'Sign for the region of the endpoint.' });
  }
  if (service !== undefined && service !== presented.service) {
    const what = `It is signed for the service ${quoted(presented.service)}; this endpoint is ${quoted(service)}.`;
    findings.push({ id: 'wrong-service', what, next: 'Sign for the service of the endpoint.' });
  }
  return findings;
}
