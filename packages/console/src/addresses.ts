/** Where the page lives, at master-keyd and at keydctl alike. */
export const CONSOLE_PATH = '/console/';

/** POST, at keydctl only: the token of a one-time link buys a session. */
export const CONSOLE_SESSION_PATH = '/console/session';

/**
 * Every request of the page bears it: no form, image or link of another site can. Its value is the session's own at
 * keydctl, and any at master-keyd, where the certificate says who asks.
 */
export const CONSOLE_HEADER = 'x-keyd-console';
