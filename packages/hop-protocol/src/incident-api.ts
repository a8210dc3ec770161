import { z } from 'zod';
import { blastRadius } from './revocation-api.js';
import { accessKeyId, instant, regionName, scopeDate, serviceName, sessionName } from './schemas.js';

/** The report on an incident: what fell into a scope of days, what is revoked of it, and what is outside and good. */
export const INCIDENT_REPORT_PATH = '/v1/incident-report';

export const incidentQuery = z
  .strictObject({
    region: regionName.optional(),
    service: serviceName.optional(),
    accessKeyId: accessKeyId.optional(),
    from: scopeDate,
    to: scopeDate.optional(),
  })
  .refine(({ from, to }) => to === undefined || from <= to, { path: ['to'], error: 'must not be before `from`' });

/** The longest list in a report; totals are of all. */
export const MOST_LISTED = 100;

const counted = z.object({ count: z.number().int(), first: instant.optional(), last: instant.optional() });

export const incidentReport = z.object({
  at: instant,
  scope: z.string(),
  from: scopeDate,
  to: scopeDate,
  blastRadius,
  /** Accepted signatures within the scope. */
  accepted: counted.extend({
    /** How many there are in all; the lists are cut to those with the most. */
    accessKeyCount: z.number().int(),
    edgeCount: z.number().int(),
    byAccessKey: z.array(
      counted.extend({
        accessKeyId,
        owner: z.string(),
        /** Of a session: the access key that it was made of, and for whom. */
        parentAccessKeyId: accessKeyId.optional(),
        sessionName: sessionName.optional(),
        revoked: z.boolean(),
      }),
    ),
    byEdge: z.array(counted.extend({ edge: z.string(), region: regionName, service: serviceName })),
    byDay: z.array(counted.extend({ scopeDate, region: regionName })),
  }),
  /** Statements that hit the scope, wholly or in part. */
  revocations: z.array(z.object({ id: z.string(), incident: z.string(), scope: z.string(), lifted: z.boolean() })),
  /** Accepted signatures of the same days outside the scope: these are good. */
  outside: counted,
  /** Roll-ups that edges had to drop: if not 0, counts are lower bounds. */
  dropped: z.number().int(),
  waysBack: z.array(z.string()),
  /** What limits the figures above: lists that were cut, days that are no longer kept, counts that are lower bounds. */
  notes: z.array(z.string()),
  /** How to find each single request in the edges' logs. */
  logQuery: z.string(),
});
export type IncidentQuery = z.infer<typeof incidentQuery>;
export type IncidentReport = z.infer<typeof incidentReport>;
