export { confine } from './confine.js';
export { neededAccess, type NeededAccess } from './needed-access.js';
export { isConfined, mayStartProcesses, permissionOptions, withoutPermissions } from './permission-options.js';
