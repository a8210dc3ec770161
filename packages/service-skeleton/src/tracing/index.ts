export { openTraces, type Traces } from './open-traces.js';
export { traceIds } from './trace-ids.js';
export { traceRequests } from './traced-requests.js';
export { tracesSettings, type TracesSettings } from './traces-settings.js';
