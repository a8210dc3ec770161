/** What a host name says of the scope that requests to it are signed for, where it is clear. */
export interface HostScope {
  readonly region?: string;
  readonly service?: string;
}

const REGION = /^[a-z]{2}(?:-[a-z]+)+-[0-9]+$/;
const SERVICES: Readonly<Record<string, string>> = { 's3-accesspoint': 's3', 's3-website': 's3' };

/**
 * Reads names such as `bucket.s3.eu-west-1.example.com` and `id.execute-api.us-east-1.amazonaws.com`: one label is a
 * region, and the one before it the service. Any other name says nothing.
 */
export function scopeOfHost(hostname: string): HostScope {
  const labels = hostname.toLowerCase().split('.');
  const [legacy] = labels.flatMap((label) => (label.startsWith('s3-') && REGION.test(label.slice(3)) ? [label] : []));
  if (legacy !== undefined) return { region: legacy.slice(3), service: 's3' };
  const at = labels.findIndex((label) => REGION.test(label));
  if (at < 0) return hostname.endsWith('s3.amazonaws.com') ? { region: 'us-east-1', service: 's3' } : {};
  const region = labels[at];
  const before = labels[at - 1] === 'dualstack' ? labels[at - 2] : labels[at - 1];
  if (region === undefined) return {};
  return before === undefined ? { region } : { region, service: SERVICES[before] ?? before };
}
