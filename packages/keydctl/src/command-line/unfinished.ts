/** The outcome was printed, and says what is left to do: the exit code alone has to tell it as well. */
export class Unfinished extends Error {
  override readonly name = 'Unfinished';
}
