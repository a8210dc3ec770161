import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiDocuments } from '../api/documents.js';
import { markdownFiles } from './markdown-files.js';
import { apiFileOf, apiText } from './api-files.js';
import { withGenerated } from './generated-tables.js';

const place = (file: string, text: string, fresh: string): void => {
  if (fresh === text) return;
  writeFileSync(file, fresh);
  process.stdout.write(`wrote ${file}\n`);
};

for (const file of markdownFiles(process.cwd())) {
  const text = readFileSync(file, 'utf8');
  place(file, text, withGenerated(text));
}
for (const [service, document] of await apiDocuments()) {
  const file = join(process.cwd(), apiFileOf(service));
  place(file, existsSync(file) ? readFileSync(file, 'utf8') : '', apiText(document));
}
