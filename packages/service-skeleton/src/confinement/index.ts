export { confine } from './confine.js';
export { neededAccess, type NeededAccess } from './needed-access.js';
export { isConfined, permissionOptions, withoutPermissions } from './permission-options.js';
export { requireProcesses } from './require-processes.js';
