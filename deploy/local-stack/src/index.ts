export * from './embedded-postgres.js';
export type { StackFacts } from './stack-facts.js';
export { RunningStack, type RunningFacts } from './running-stack.js';
