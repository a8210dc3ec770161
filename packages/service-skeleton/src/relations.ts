import type { z } from 'zod';
import type { Logger } from './logging.js';

/** How settings have to stand to each other. */
export interface Relation<Settings> {
  readonly between: readonly (keyof Settings & string)[];
  /** Such a service works, but somebody should know. Otherwise it does not start: it could not keep its promises. */
  readonly isDoubtful?: boolean;
  /** What is wrong, with the arithmetic, or undefined. */
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
      for (const { between, isDoubtful = false, problem } of relations) {
        if (isDoubtful || between.some((setting) => broken.has(setting))) continue;
        const message = problem(settings);
        if (message !== undefined) context.addIssue({ code: 'custom', message });
      }
    },
    { when: () => true },
  );
}

/** What is doubtful about a whole configuration, for the log and the readiness probe. */
export function doubtsAbout<Settings>(settings: Settings, relations: readonly Relation<Settings>[]): readonly string[] {
  return relations.flatMap(({ isDoubtful = false, problem }) => {
    const doubt = isDoubtful ? problem(settings) : undefined;
    return doubt === undefined ? [] : [doubt];
  });
}

/** The same, written to the log. */
export function toldDoubts<Settings>(
  settings: Settings,
  relations: readonly Relation<Settings>[],
  log: Pick<Logger, 'warn'>,
): readonly string[] {
  const doubts = doubtsAbout(settings, relations);
  for (const doubt of doubts) log.warn(doubt);
  return doubts;
}
