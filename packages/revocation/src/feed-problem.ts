/**
 * Why a document, a key file or a state file was refused; the public sentence says what to do. A closed set, stable for
 * logs, metrics and callers.
 */
export const FEED_PROBLEMS = {
  // one signed document
  'too-large': 'The document is larger than any of its kind can be; fetch it again from another source.',
  malformed: 'The document does not have the form of its kind; details name the part.',
  'unsupported-algorithm': 'Documents are signed with EdDSA (Ed25519) and nothing else.',
  'unsupported-extension': 'The signature demands an extension (crit); documents are signed without any.',
  'unknown-key': 'No pinned key signed this; pin the new public keys if the keys were rotated.',
  'wrong-purpose': 'The key that signed this is pinned for another purpose; sign with the key of this purpose.',
  'bad-signature': 'The signature does not fit the document: it was changed on the way, or forged.',
  // the feed as a whole
  'too-many-statements': 'The set holds more statements than a feed may; widen statements instead of adding more.',
  'version-backwards':
    'The beacon is older than the one held: an old state was replayed, or the publisher was set back.',
  'time-backwards':
    "The beacon is of a newer version but an earlier time than the one held; check the publisher's clock.",
  equivocation:
    'Two beacons of one version differ: the publisher, or who holds its key, tells different edges different things.',
  'incomplete-set':
    'The statements are not exactly the set that the beacon names; fetch the whole set from another source.',
  expired: 'The beacon has expired; fetch a newer one, or check the clock of this machine.',
  'from-the-future': 'The beacon is dated after now; check the clocks of this machine and of the publisher.',
  // files
  'malformed-keys': 'The key file does not have the form of one; details name the part.',
  'private-key-in-public-file':
    'The file of pinned keys holds a private key: publish public keys only, and replace that one.',
  'malformed-state': 'The state file does not have the form of one; remove it, and the state is fetched anew.',
} as const satisfies Readonly<Record<string, string>>;

export type FeedProblem = keyof typeof FEED_PROBLEMS;

/** An error with one of the closed set of codes. `message` and `detail` are public: no key, no document is in them. */
export class FeedError extends Error {
  override readonly name = 'FeedError';
  readonly code: FeedProblem;
  readonly detail: string | undefined;

  constructor(code: FeedProblem, detail?: string) {
    super(detail === undefined ? FEED_PROBLEMS[code] : `${FEED_PROBLEMS[code]} (${detail})`);
    this.code = code;
    this.detail = detail;
  }
}
