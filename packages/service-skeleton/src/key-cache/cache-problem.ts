/** Why a file of a key cache, or a part of it, is not believed, and what that means to an operator. */
export const CACHE_PROBLEMS = {
  'other-form': 'it is no file of a key cache, or one of a later version',
  'other-identity': 'it was sealed under another private key or for another identity',
  'cut-short': 'it ends in the middle, as after a crash while it was written',
  'not-authentic': 'it was changed, put together from parts of other files, or damaged by the disk',
  unreadable: 'it cannot be read from the disk',
  'newer-feed': 'it was written under newer news of revocations than those that were restored, or other news',
} as const;

export type CacheProblem = keyof typeof CACHE_PROBLEMS;

export class CacheFileError extends Error {
  readonly problem: CacheProblem;
  override readonly name = 'CacheFileError';

  constructor(problem: CacheProblem) {
    super(CACHE_PROBLEMS[problem]);
    this.problem = problem;
  }
}
