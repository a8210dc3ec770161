import { accessKeyId, ACCESS_KEYS_PATH, rotateAccessKey, rotatedAccessKey } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import { z } from 'zod';
import type { AccessKeyRotation } from '../access-key-rotation.js';
import { authorOf } from '../author.js';

/** POST /v1/access-keys/ID/rotate: a new secret, shown this once, for the same access key or for a successor. */
export function rotateAccessKeyRoute(app: MtlsApp, rotation: AccessKeyRotation): void {
  app.post(
    `${ACCESS_KEYS_PATH}/:accessKeyId/rotate`,
    {
      config: { mtls: { roles: ['operator'] } },
      schema: { params: z.object({ accessKeyId }), body: rotateAccessKey, response: { 200: rotatedAccessKey } },
    },
    (request) => {
      const { params, body } = request;
      const author = authorOf(request);
      return body.overlapSeconds === undefined
        ? rotation.replaceSecret(author, params.accessKeyId)
        : rotation.succeed(author, params.accessKeyId, body.overlapSeconds);
    },
  );
}
