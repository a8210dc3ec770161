import { liftAnswer, LIFTS_PATH, submitLift } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import { authorOf } from '../author.js';
import type { Lifts } from '../feed/lifts.js';

/** POST /v1/lifts: takes a statement back, by a lift that was signed with the root key elsewhere. */
export function liftsRoute(app: MtlsApp, lifts: Lifts): void {
  app.post(
    LIFTS_PATH,
    { config: { mtls: { roles: ['operator'] } }, schema: { body: submitLift, response: { 200: liftAnswer } } },
    (request) => lifts.submit(authorOf(request), request.body.jws),
  );
}
