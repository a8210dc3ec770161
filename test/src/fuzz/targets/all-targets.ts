import type { Target } from '../engine/target.js';
import { CERTIFICATES } from './certificates.js';
import { CHUNKED } from './chunked.js';
import { DAY_STREAMS } from './day-streams.js';
import { ECDSA } from './ecdsa.js';
import { EXPLAIN } from './explain.js';
import { FEED } from './feed.js';
import { FORMS } from './forms.js';
import { IDENTITIES } from './identities.js';
import { JOURNAL } from './journal.js';
import { KEY_CACHE } from './key-cache.js';
import { LEDGER } from './ledger.js';
import { ORIGINAL_REQUESTS } from './original-request.js';
import { REQUEST_PARTS } from './request-parts.js';
import { REQUESTS } from './request.js';
import { SETTINGS } from './settings.js';
import { SHAPES } from './shapes.js';

/** Every parser that reads what somebody else wrote. */
export const TARGETS: readonly Target[] = [
  ...[...REQUEST_PARTS, ...REQUESTS, ...SHAPES, ...ORIGINAL_REQUESTS, ...CHUNKED, ...FORMS, ...ECDSA],
  ...[
    ...IDENTITIES,
    ...CERTIFICATES,
    ...DAY_STREAMS,
    ...FEED,
    ...LEDGER,
    ...JOURNAL,
    ...SETTINGS,
    ...KEY_CACHE,
    ...EXPLAIN,
  ],
];
