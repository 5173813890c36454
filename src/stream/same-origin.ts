/**
 * Whether a browser may call us from the page it is on. Browsers send `Origin` with every websocket and every
 * request that changes something, and a page cannot forge it; other clients send none and are let through.
 *
 * @param allowedOrigins pages of other sites that may call us: `https://shop.example`
 */
export function isAllowedOrigin(
  headers: { origin?: string | undefined; host?: string | undefined },
  allowedOrigins: readonly string[],
): boolean {
  const { origin, host } = headers;
  if (origin === undefined || allowedOrigins.includes(origin)) return true;
  return URL.canParse(origin) && host !== undefined && new URL(origin).host === host.toLowerCase();
}
