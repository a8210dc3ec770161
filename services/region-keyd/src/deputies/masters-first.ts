import { KeydError, type KeySource } from '@sigv4-keyd/hop-protocol';

export interface MastersFirst<Key> {
  readonly masters: KeySource<Key>;
  readonly deputies: KeySource<Key>;
  /** Whether any master is well, as far as is known without asking. */
  readonly isMasterWell: () => boolean;
}

/**
 * Keys of masters; of deputies while no master can give them. What a master refuses is refused: a deputy is asked only
 * where a master has failed. Rejects as the masters do.
 */
export function mastersFirst<Key>({ masters, deputies, isMasterWell }: MastersFirst<Key>): KeySource<Key> {
  return {
    async issue(request, requestId) {
      // Put aside already: asked again as a last resort, since one may be well by now.
      if (!isMasterWell()) return deputies.issue(request, requestId).catch(() => masters.issue(request, requestId));
      try {
        return await masters.issue(request, requestId);
      } catch (outage) {
        if (!isOutage(outage)) throw outage;
        // Why a deputy cannot, or may not, is in its own log.
        return deputies.issue(request, requestId).catch(() => {
          throw outage;
        });
      }
    },
  };
}

function isOutage(failure: unknown): failure is KeydError {
  return failure instanceof KeydError && failure.statusCode >= 500;
}
