import type { Target } from '../engine/target.js';
import { REQUEST_PARTS } from './request-parts.js';

/** Every parser that reads what somebody else wrote. */
export const TARGETS: readonly Target[] = [...REQUEST_PARTS];
