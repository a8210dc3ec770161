import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runSql } from '../support/postgres.js';

/** Every row of every table, as text. */
export async function tablesOf(database: string): Promise<Buffer> {
  const tables = await runSql<{ name: string }>(
    database,
    "SELECT quote_ident(table_name) AS name FROM information_schema.tables WHERE table_schema = 'public'",
  );
  const rows: string[] = [];
  for (const { name } of tables) {
    const found = await runSql<{ row: string }>(database, `SELECT ${name}::text AS row FROM ${name}`);
    rows.push(name, ...found.map(({ row }) => row));
  }
  return Buffer.from(rows.join('\n'));
}

/** Every byte of every file. */
export function filesIn(folder: string): Buffer {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Buffer.concat(files.map(({ parentPath, name }) => readFileSync(join(parentPath, name))));
}
