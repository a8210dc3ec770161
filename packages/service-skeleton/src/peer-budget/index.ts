export { draw, newAccount, type BudgetAccount, type Draw, type DrawRequest } from './budget-account.js';
export * from './budget-accounts.js';
export type { BudgetCount } from './budget-counts.js';
export * from './budget-limits.js';
export * from './peer-budget.js';
