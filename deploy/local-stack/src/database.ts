import { Client } from 'pg';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import { writePrivate, type StateFolder } from './state-folder.js';

const DATABASE = 'keyd';

export interface StackDatabase {
  stop(): Promise<void>;
}

export interface EmbeddedDatabaseOptions {
  readonly state: StateFolder;
  readonly port: number;
  readonly onUnexpectedExit: (lastLines: string) => void;
}

/** Starts the embedded PostgreSQL, and leaves the address of its database in the state folder. */
export async function startEmbeddedDatabase({
  state,
  port,
  onUnexpectedExit,
}: EmbeddedDatabaseOptions): Promise<StackDatabase> {
  const postgres = await startEmbeddedPostgres({ folder: state.postgres, port, onUnexpectedExit });
  try {
    await ensureDatabase(postgres.connectionString('postgres'));
    await writePrivate(state.databaseUrl, postgres.connectionString(DATABASE));
    return postgres;
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

async function ensureDatabase(connectionString: string): Promise<void> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(DATABASE)}`);
  } finally {
    await client.end();
  }
}
