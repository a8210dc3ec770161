export * from './app.js';
export * from './configuration.js';
export * from './grants/grant-readings.js';
export { readGrants, storeGrants } from './grants/grants-file.js';
export { LIFETIMES as DEPUTY_LIFETIMES } from './lifetimes.js';
export * from './start.js';
