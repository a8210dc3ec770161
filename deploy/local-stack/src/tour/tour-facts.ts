import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { runningHolder } from '../run-lock.js';
import { StackError } from '../stack-error.js';
import { stateFolder } from '../state-folder.js';

const facts = z.object({
  edges: z.array(z.object({ region: z.string(), service: z.string(), proxy: z.url() })),
  master: z.object({ url: z.url() }),
  credentials: z.string(),
  feedKeys: z.string(),
});
/** What the tour needs of the stack that runs. */
export type TourFacts = z.output<typeof facts>;

/** @throws StackError when no stack runs on the folder */
export async function readTourFacts(dir: string): Promise<TourFacts> {
  const state = stateFolder(dir);
  if ((await runningHolder(state.lock)) === undefined) {
    throw new StackError(`no stack runs on ${state.folder}; start one in another terminal: npm start`);
  }
  try {
    return facts.parse(JSON.parse(await readFile(state.facts, 'utf8')));
  } catch (error) {
    const message = `the stack on ${state.folder} is not ready yet; wait until npm start says that it is`;
    throw new StackError(message, { cause: error });
  }
}
