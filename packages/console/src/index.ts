export { CONSOLE_HEADER, CONSOLE_PATH, CONSOLE_SESSION_PATH } from './addresses.js';
export { readConsoleFiles, type ConsoleFile } from './console-files.js';
export { PAGE_HEADERS } from './page-headers.js';
// The page makes the report on an incident in the browser; keydctl makes the same file.
export { incidentPage } from './page/report-page.js';
export { whyRefused, type BrowserRequest } from './same-origin.js';
