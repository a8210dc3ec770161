import { INCIDENT_REPORT_PATH, incidentQuery, incidentReport as reportForm } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import { incidentReport, type IncidentReportOptions } from '../incident/incident-report.js';

/** GET /v1/incident-report: what fell into a scope of days, and what is outside and good. */
export function incidentReportRoute(app: MtlsApp, options: IncidentReportOptions): void {
  app.get(
    INCIDENT_REPORT_PATH,
    {
      config: { mtls: { roles: ['operator'] } },
      schema: { querystring: incidentQuery, response: { 200: reportForm } },
    },
    ({ query }) => incidentReport(query, options),
  );
}
