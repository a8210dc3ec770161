import {
  resumeAfterRestore as resumeRequest,
  resumedAfterRestore,
  RESUME_AFTER_RESTORE_PATH,
} from '@sigv4-keyd/hop-protocol';
import { MOST_FEED_BYTES } from '@sigv4-keyd/revocation';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import { authorOf } from '../author.js';
import { resumeAfterRestore, type ResumptionOptions } from '../feed/resume-after-restore.js';

/** POST /v1/feed/resume-after-restore: publishing goes on over a database that was restored from a backup. */
export function resumeAfterRestoreRoute(app: MtlsApp, options: ResumptionOptions): void {
  app.post(
    RESUME_AFTER_RESTORE_PATH,
    {
      config: { mtls: { roles: ['operator'] } },
      schema: { body: resumeRequest, response: { 200: resumedAfterRestore } },
      bodyLimit: MOST_FEED_BYTES,
    },
    (request) => resumeAfterRestore(authorOf(request), request.body.statements, options),
  );
}
