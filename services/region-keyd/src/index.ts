export * from './acceptances/relay.js';
export * from './app.js';
export * from './configuration.js';
export * from './edge-roster.js';
export { LIFETIMES as REGION_LIFETIMES } from './lifetimes.js';
export * from './routes/acceptances.js';
export * from './start.js';
export { createRegionKeys, type RegionKeysContext } from './key-source.js';
export { serviceDayPages, type ServiceDayOptions } from './days/service-day-pages.js';
