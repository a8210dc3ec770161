export * from './borrowed-keys.js';
export { type Lend } from './borrowed-rung.js';
export { FeedInForce, type FeedJudge } from './feed-in-force.js';
export { KEY_FORMS } from './key-forms.js';
export { type SharedFeed, type SharedKeys } from './shared-keys.js';
export { type LentKey, type SharedRung } from './shared-rung.js';
