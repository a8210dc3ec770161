import { Socket } from 'node:net';
import { serveToken } from './serve-token.js';

/** The descriptor of the pipe to the master: the module of the token may print to the others. */
const PIPE = 3;

// Node.js opens its debugger on this signal unless somebody listens to it.
process.on('SIGUSR1', () => undefined);
await serveToken(new Socket({ fd: PIPE }));
process.exit(0);
