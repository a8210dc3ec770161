/** Two consoles of one machine keep apart by their ports; a cookie's own rules know nothing of ports. */
function nameAt(host: string): string {
  return `keyd-console-${host.replace(/^.*:/, '')}`;
}

/** It ends with the browser, goes to no other site, and no script reads it. */
export function sessionCookie(host: string, value: string): string {
  return `${nameAt(host)}=${value}; Path=/; HttpOnly; SameSite=Strict`;
}

/** The value of our cookie, of which there must be one. */
export function cookieIn(header: string | undefined, host: string): string | undefined {
  const start = `${nameAt(host)}=`;
  const ours = (header ?? '').split('; ').filter((pair) => pair.startsWith(start));
  return ours.length === 1 ? ours[0]?.slice(start.length) : undefined;
}
