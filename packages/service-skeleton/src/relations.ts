import type { z } from 'zod';

/** How settings have to stand to each other: what is wrong with them, with the arithmetic, or undefined. */
export interface Relation<Settings> {
  readonly between: readonly (keyof Settings & string)[];
  readonly problem: (settings: Settings) => string | undefined;
}

/**
 * Adds relations to a schema of settings. They are judged even when settings have problems of their own, so that all
 * problems are told at once; but not those between settings that could not be read.
 */
export function related<Schema extends z.ZodObject>(
  schema: Schema,
  relations: readonly Relation<z.output<Schema>>[],
): Schema {
  return schema.superRefine(
    (settings, context) => {
      const broken = new Set(context.issues.map(({ path }) => path?.[0]));
      for (const { between, problem } of relations) {
        if (between.some((setting) => broken.has(setting))) continue;
        const message = problem(settings);
        if (message !== undefined) context.addIssue({ code: 'custom', message });
      }
    },
    { when: () => true },
  );
}
