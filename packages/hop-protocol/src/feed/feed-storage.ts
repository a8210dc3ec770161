/** Where the state of the feed outlives the process. */
export interface FeedStorage {
  /** What was saved last, or undefined when nothing was. */
  load(): Promise<string | undefined>;
  /** Durable once resolved: after a crash there is the old text or the new one, never a part. */
  save(text: string): Promise<void>;
  /** Puts what cannot be used out of the way, to be looked into; `now` in epoch milliseconds. Resolves to its place. */
  setAside(now: number): Promise<string>;
}
