import { spiffeIdOf, type FeedFollower, type Identity } from '@sigv4-keyd/hop-protocol';
import { createMtlsApp, type MtlsApp, type MtlsAppOptions } from './mtls-app.js';

/**
 * A listener for the tier below that serves nobody whom the newest beacon bans, and ends the live connections of
 * whoever comes to be banned. A beacon names all of them, so that an older one is never needed.
 */
export async function createBanningApp(
  feed: FeedFollower,
  options: Omit<MtlsAppOptions, 'isRefused'>,
): Promise<MtlsApp> {
  let banned: ReadonlySet<string> = new Set(feed.state.beacon?.banned);
  const isBanned = (peer: Identity): boolean => banned.has(spiffeIdOf(peer));
  const app = await createMtlsApp({
    ...options,
    isRefused: (peer) => (isBanned(peer) ? 'banned by the newest beacon' : undefined),
  });
  feed.subscribe({
    onBeacon(beacon) {
      const before = banned;
      banned = new Set(beacon.banned);
      const added = beacon.banned.filter((spiffeId) => !before.has(spiffeId));
      const lifted = [...before].filter((spiffeId) => !banned.has(spiffeId));
      if (added.length === 0 && lifted.length === 0) return;
      const closed = app.closeConnectionsOf(isBanned);
      const line = { event: 'identities-banned', security: true, added, lifted, closed };
      options.log.warn(line, 'who is banned has changed');
    },
  });
  return app;
}
