export { confine } from './confine.js';
export { neededAccess, type NeededAccess } from './needed-access.js';
export { isConfined, permissionOptions } from './permission-options.js';
