import type { Target } from '../engine/target.js';
import { CHUNKED } from './chunked.js';
import { REQUESTS } from './request.js';
import { REQUEST_PARTS } from './request-parts.js';

/** Every parser that reads what somebody else wrote. */
export const TARGETS: readonly Target[] = [...REQUEST_PARTS, ...REQUESTS, ...CHUNKED];
