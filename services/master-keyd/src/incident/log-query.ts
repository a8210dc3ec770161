import type { IncidentScope } from './incident-scope.js';

/**
 * A line for the shell that finds each accepted request of the scope in the logs of edges (one JSON object a line).
 * Every part has a grammar without quotes or spaces, so that nothing needs escaping.
 */
export function logQuery({ from, to, region, service, accessKeyId }: IncidentScope): string {
  const conditions = [
    '.event == "request-accepted"',
    ...(accessKeyId === undefined
      ? []
      : [`(.accessKeyId == "${accessKeyId}" or .parentAccessKeyId == "${accessKeyId}")`]),
    `(.scope | split("/") | .[0] >= "${from}" and .[0] <= "${to}"${partOf(1, region)}${partOf(2, service)})`,
  ];
  return `jq -c 'select(${conditions.join(' and ')})' edge-*.log`;
}

function partOf(place: number, name: string | undefined): string {
  return name === undefined ? '' : ` and .[${place}] == "${name}"`;
}
