import type { IssuableAccessKey } from '../database/access-keys.js';

/** What a session is good for by now: never more than the access key that it was made of. */
export function withinParent(session: IssuableAccessKey, parent: IssuableAccessKey): IssuableAccessKey {
  const regions = inBoth(session.regions, parent.regions);
  const services = inBoth(session.services, parent.services);
  const ends = [session.expiresAt, parent.expiresAt].filter((end) => end !== undefined);
  return {
    ...session,
    status: session.status === 'enabled' ? parent.status : session.status,
    ...(ends.length > 0 && { expiresAt: Math.min(...ends) }),
    ...(regions && { regions }),
    ...(services && { services }),
  };
}

function inBoth(
  one: readonly string[] | undefined,
  other: readonly string[] | undefined,
): readonly string[] | undefined {
  return one === undefined || other === undefined ? (one ?? other) : one.filter((name) => other.includes(name));
}
