export * from './embedded-postgres.js';
export type { StackFacts } from './stack-facts.js';
