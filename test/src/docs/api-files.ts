import type { OpenApi } from '../api/openapi.js';

/** Where the API of a service is written down. */
export const apiFileOf = (service: string): string => `docs/api/${service}.json`;

/** As the file has it. */
export const apiText = (document: OpenApi): string => `${JSON.stringify(document, null, 2)}\n`;
