import { Client, type ClientBase, type ClientConfig } from 'pg';
import { UnsuitableHost, type DatabaseHosts } from './database-hosts.js';
import type { DatabaseHost, SessionAttributes } from './database-url.js';

/** A connection of its own to the primary, connected. Rejects when there is none. */
export function connectToPrimary(hosts: DatabaseHosts, settings: ClientConfig): Promise<Client> {
  return hosts.first(async (host) => {
    const client = new Client({ ...settings, connectionString: host.connectionString });
    const ignore = (): void => undefined;
    client.on('error', ignore);
    try {
      await client.connect();
      await requireSuitable(client, host, hosts.sessionAttributes);
      client.off('error', ignore);
      return client;
    } catch (error) {
      await client.end().catch(ignore);
      throw error;
    }
  });
}

interface Session {
  readonly is_standby: boolean;
  readonly is_read_only: boolean;
}

/** Throws UnsuitableHost for a standby, and for a server that was set to read only. */
export async function requireSuitable(
  client: ClientBase,
  { name }: DatabaseHost,
  attributes: SessionAttributes,
): Promise<void> {
  if (attributes === 'any') return;
  const { rows } = await client.query<Session>(
    `SELECT pg_is_in_recovery() AS is_standby, current_setting('transaction_read_only') = 'on' AS is_read_only`,
  );
  const [session] = rows;
  if (session?.is_standby) throw new UnsuitableHost(`${name} is a standby`);
  if (session?.is_read_only && attributes === 'read-write') throw new UnsuitableHost(`${name} takes no writes`);
}
