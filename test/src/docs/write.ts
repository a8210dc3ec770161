import { readFileSync, writeFileSync } from 'node:fs';
import { markdownFiles } from './markdown-files.js';
import { withGenerated } from './generated-tables.js';

for (const file of markdownFiles(process.cwd())) {
  const text = readFileSync(file, 'utf8');
  const fresh = withGenerated(text);
  if (fresh === text) continue;
  writeFileSync(file, fresh);
  process.stdout.write(`wrote ${file}\n`);
}
