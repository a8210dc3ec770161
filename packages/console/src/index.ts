export { CONSOLE_HEADER, CONSOLE_PATH, CONSOLE_SESSION_PATH } from './addresses.js';
export { readConsoleFiles, type ConsoleFile } from './console-files.js';
export { PAGE_HEADERS } from './page-headers.js';
// The page writes these in the browser; keydctl writes the same on a terminal and to a file.
export { accessKeyText } from './page/access-key-text.js';
export { dayText, runsOfDays } from './page/days.js';
export { incidentPage } from './page/report-page.js';
export { whyRefused, type BrowserRequest } from './same-origin.js';
