import type { AskedCalls, CountedCall, IssuedCounts } from '@sigv4-keyd/hop-protocol';

export interface CountsToCompare {
  /** Of all signers. To be had first: what is counted later is not asked after. */
  readonly counted: readonly CountedCall[];
  readonly asked: AskedCalls['calls'];
  readonly issued: IssuedCounts;
}

/** kDates of one date, of one master. */
export interface ComparedCounts {
  readonly master: string;
  readonly date: string;
  /** Given by signers to this master, for calls that it recorded. */
  readonly given: number;
  /** Recorded as issued. */
  readonly issued: number;
}

export interface ComparedCalls {
  readonly dates: readonly ComparedCounts[];
  /** Calls that no master recorded before, or with less than it was given: somebody else used its certificate. */
  readonly strange: readonly CountedCall[];
}

/** What signers gave, against what masters asked for and issued. Of dates that masters no longer tell of: nothing. */
export function compareCounts({ counted, asked, issued }: CountsToCompare): ComparedCalls {
  const open = new Map(asked.map((call) => [call.call, call]));
  const strange: CountedCall[] = [];
  const dates = new Map<string, ComparedCounts>();
  const add = ({ master, date, given, issued }: ComparedCounts): void => {
    const name = `${date} ${master}`;
    const before = dates.get(name) ?? { master, date, given: 0, issued: 0 };
    dates.set(name, { ...before, given: before.given + given, issued: before.issued + issued });
  };
  for (const call of counted) {
    const known = open.get(call.call);
    // An id is used once: the second call under it is somebody else's.
    open.delete(call.call);
    const { master, want, date, given } = call;
    const isOwn = known?.master === master && known.want === want && known.date === date && given <= known.asked;
    if (!isOwn) strange.push(call);
    else if (date !== undefined && date >= issued.first) add({ master, date, given, issued: 0 });
  }
  for (const { master, date, keys } of issued.issued) add({ master, date, given: 0, issued: keys });
  const inOrder = [...dates].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row);
  return { dates: inOrder, strange };
}
