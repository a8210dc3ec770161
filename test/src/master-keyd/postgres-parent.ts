import { startEmbeddedPostgres } from '@sigv4-keyd/local-stack';
import { runSql } from '../support/postgres-sql.js';

/** A process that starts a server, says so in a line, and waits to be killed. */
const server = await startEmbeddedPostgres({ folder: process.argv[2] ?? '' });
const [postmaster] = await runSql<{ pid: number }>(
  server.connectionString('postgres'),
  "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::integer AS pid",
);
process.stdout.write(`${JSON.stringify({ pid: postmaster?.pid, port: server.port })}\n`);
setInterval(() => undefined, 1_000);
