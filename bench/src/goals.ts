import { z } from 'zod';

/** What is aimed at: mostly a ratio of two figures of the same run. */
export const goal = z.strictObject({
  /** The text that names it, once in a part. */
  what: z.string(),
  bound: z.enum(['at least', 'at most']),
  limit: z.number(),
  /** Behind the number: `%`, `µs`, `times`. */
  unit: z.string(),
});
export type Goal = z.infer<typeof goal>;

/** What was measured for a goal, or why nothing was. */
export const goalFigure = z.union([z.number(), z.strictObject({ notMeasured: z.string() })]);
export type GoalFigure = z.infer<typeof goalFigure>;

export const judgedGoal = goal.extend({
  figure: goalFigure,
  verdict: z.enum(['met', 'missed', 'not measured']),
});
export type JudgedGoal = z.infer<typeof judgedGoal>;

export function atLeast(limit: number, unit: string, what: string): Goal {
  return { what, bound: 'at least', limit, unit };
}

export function atMost(limit: number, unit: string, what: string): Goal {
  return { what, bound: 'at most', limit, unit };
}

export function judged(goal: Goal, figure: GoalFigure): JudgedGoal {
  if (typeof figure !== 'number') return { ...goal, figure, verdict: 'not measured' };
  const isMet = goal.bound === 'at least' ? figure >= goal.limit : figure <= goal.limit;
  return { ...goal, figure, verdict: isMet ? 'met' : 'missed' };
}
