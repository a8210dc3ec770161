import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The Markdown files of the project: those at the top, in docs, and the ones of the packages. */
export function markdownFiles(root: string): readonly string[] {
  const folders = ['.', 'docs', 'deploy', ...below(root, 'packages'), ...below(root, 'services')];
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(root, folder, name)),
  );
}

function below(root: string, folder: string): readonly string[] {
  return readdirSync(join(root, folder)).map((name) => join(folder, name));
}
