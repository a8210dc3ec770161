import { ACCESS_KEY_PIN_PATHS, accessKeyPins, pinnedAccessKeys } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import { pinAccessKeys, type AccessKeyPinsOptions } from '../access-key-pins.js';
import { authorOf } from '../author.js';

/** POST /v1/access-keys/pin and /unpin: whether tiers fetch the keys of these access keys without having seen them. */
export function pinAccessKeysRoute(app: MtlsApp, options: AccessKeyPinsOptions): void {
  for (const action of ['pin', 'unpin'] as const) {
    app.post(
      ACCESS_KEY_PIN_PATHS[action],
      {
        config: { mtls: { roles: ['operator'] } },
        schema: { body: accessKeyPins, response: { 200: pinnedAccessKeys } },
      },
      async (request) => ({
        accessKeys: [...(await pinAccessKeys(authorOf(request), action, request.body.accessKeyIds, options))],
      }),
    );
  }
}
