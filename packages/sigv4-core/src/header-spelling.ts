/**
 * The one spelling that stands for all under which a header could be read: gateways and frameworks take "_" and other
 * characters for "-" (CGI, WSGI).
 */
export function commonSpelling(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-');
}
