export * from './day-pull.js';
export * from './day-source.js';
export * from './day-stream-api.js';
export { WrongStream } from './frame.js';
export { type StreamedKey } from './key-page.js';
export * from './peer-streams.js';
export * from './read-day-stream.js';
export * from './write-day-stream.js';
