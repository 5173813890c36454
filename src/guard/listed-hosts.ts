import type { Source } from '../frames.js';

const ADDRESS = /\b(?:https?:\/\/|www\.)[^\s<>"'`)\]]+/gi;
const PLAIN_HOST =
  /(?<![\w@.-])(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,5}[a-z]{2,24}(?![\w-]|\.[a-z0-9])/gi;

/** Whether an address leads to a host that one of the passages names. */
export function listHosts(sources: readonly Source[]): (url: URL) => boolean {
  const hosts = new Set<string>();
  for (const { title, headings, text, url } of sources) {
    const all = [title, ...headings, text, url ?? ''].join('\n');
    for (const [address] of all.matchAll(ADDRESS)) {
      const whole = address.startsWith('http') ? address : `https://${address}`;
      if (URL.canParse(whole)) hosts.add(new URL(whole).hostname);
    }
    for (const [host] of all.matchAll(PLAIN_HOST)) hosts.add(host.toLowerCase());
  }
  return ({ hostname }) => hosts.has(hostname) || hosts.has(hostname.replace(/^www\./, ''));
}
