import type { AddressInfo } from 'node:net';
import { StartError } from './start-error.js';
import type { ListenAddress } from './settings.js';

/** What listening needs: a Fastify app has it, whatever its type parameters, and so has a server of another kind. */
interface Listener {
  listen(address: ListenAddress): Promise<unknown>;
  addresses(): readonly (string | AddressInfo)[];
}

/** Listens, and says in words what to do when that is not possible. Returns HOST:PORT as it was bound. */
export async function listen(app: Listener, address: ListenAddress, setting: string): Promise<string> {
  try {
    await app.listen(address);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const where = `${address.host}:${address.port}`;
    if (code === 'EADDRINUSE') throw new StartError(`${where} is taken; choose another with ${setting}`, 69, error);
    if (code === 'EACCES')
      throw new StartError(`${where} needs a privilege; choose a port above 1023 with ${setting}`, 69, error);
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new StartError(`${where} is no address of this machine; correct ${setting}`, 78, error);
    }
    throw error;
  }
  const bound = app.addresses()[0];
  if (bound === undefined) return `${address.host}:${address.port}`;
  if (typeof bound === 'string') return bound;
  return bound.family === 'IPv6' ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`;
}
