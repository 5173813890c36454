/** Takes links and pictures out of text while it streams in, unless their host is listed. */
export interface LinkGuard {
  /** What can be shown by now. A possible link is held back until it is whole. */
  push(text: string): string;
  /** The rest. */
  finish(): string;
  /** Links and pictures taken out so far. */
  readonly removed: number;
}

/** A scheme with what makes a browser go somewhere, a bare `www.`, or the `//host.` of a page's own scheme. */
const ADDRESS =
  /(?:\b(?:https?|ftp|wss?|file|javascript|vbscript|data):|(?:[a-z][a-z0-9+.-]{0,30})?:[/\\]{2}|(?<![a-z0-9.@-])www\.|(?<![:\w/\\])[/\\]{2}(?=[^\s/\\]{1,64}\.))[^\s<>"'`。．｡，；！？、（）【】《》「」『』]*(?:[。．｡](?=[a-z0-9])[^\s<>"'`。．｡，；！？、（）【】《》「」『』]*)*/giu;
/** The end of a Markdown link or picture: its label streams on, its address is checked when it is whole. */
const DESTINATION = /\]\(([^)\n]{0,2000})\)/g;
const DEFINITION = /(^|\n)( {0,3}\[[^\]\n]{1,200}\]:)[ \t]*(\S*[.&/\\:#]\S*)/g;
/** HTML that loads or leads somewhere. */
const TAG =
  /<\/?(?:a|img|image|picture|iframe|script|link|object|embed|video|audio|source|svg|form|base|meta|style|input|button)\b[^>]{0,2000}>/gi;

/** At the end of what came so far: what may still become one of the above. */
const UNFINISHED = [
  /\](?:\((?:[^)\n]{0,2000})?)?$/,
  /(?:^|\n) {0,3}\[[^\]\n]{1,200}\]:[ \t]*\S{0,2000}$/,
  /<(?:[a-z/!][^>]{0,2000})?$/i,
  /(?:\b(?:https?|ftp|wss?|file|javascript|vbscript|data):|(?:[a-z][a-z0-9+.-]{0,30})?:[/\\]{2}|(?<![a-z0-9.@-])www\.|(?<![:\w/\\])[/\\]{2})\S{0,2000}$/i,
  /(?<![a-z0-9])(?:h|ht|htt|https?|f|ft|ftp|w|ws|wss|ww|www|fi|fil|file|j|ja|jav|java|javas|javasc|javascr|javascri|javascrip|javascript|v|vb|vbs|vbsc|vbscr|vbscri|vbscrip|vbscript|d|da|dat|data)$/i,
  /(?:[a-z][a-z0-9+.-]{0,30})?:[/\\]?$/i,
  /[/\\]{1,2}$/,
] as const;
/** Nothing honest is held back longer. */
const LONGEST_HELD = 2_100;

/**
 * @param isListed whether an address may stay, as an URL parser reads it
 */
export function createLinkGuard(isListed: (url: URL) => boolean): LinkGuard {
  let held = '';
  let removed = 0;

  const stays = (address: string): boolean => {
    const url = readAddress(address);
    return url !== undefined && isListed(url);
  };
  const drop = (replacement: string): string => {
    removed += 1;
    return replacement;
  };
  const clean = (text: string): string =>
    text
      .replace(TAG, () => drop(''))
      .replace(DEFINITION, (whole, before: string, _label, address: string) =>
        stays(address) ? whole : drop(before),
      )
      .replace(DESTINATION, (whole, address: string) => (stays(firstWord(address)) ? whole : drop(']')))
      .replace(ADDRESS, (address: string) => keepListedPart(address, stays) ?? drop(''));

  return {
    push(text) {
      held += text;
      const end = held.length > LONGEST_HELD ? held.length : endOfFinished(held);
      const ready = held.slice(0, end);
      held = held.slice(end);
      return clean(ready);
    },
    finish() {
      const rest = clean(
        held.replace(/\]\([^)\n]*$/, () => drop(']')).replace(/<[a-z/!][^>]*$/i, () => drop('')),
      );
      held = '';
      return rest;
    },
    get removed() {
      return removed;
    },
  };
}

function endOfFinished(text: string): number {
  return Math.min(text.length, ...UNFINISHED.map((pattern) => startOf(pattern, text)));
}

function startOf(pattern: RegExp, text: string): number {
  const at = text.search(pattern);
  return at === -1 ? text.length : at;
}

/** `<https://a.example/> "title"` → the address alone. */
function firstWord(destination: string): string {
  return (
    destination
      .trim()
      .replace(/^<([^>]*)>.*$/s, '$1')
      .split(/\s/)[0] ?? ''
  );
}

/** What a browser would open; undefined where that is no host of the net. */
function readAddress(address: string): URL | undefined {
  const whole = address.startsWith('www.') ? `https://${address}` : address.replace(/^[/\\]{2}/, 'https://');
  if (!URL.canParse(whole)) return undefined;
  const url = new URL(whole);
  return /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' ? url : undefined;
}

/** Chinese words may stand right behind an address; they are part of it only where they could be part of its host. */
function keepListedPart(run: string, stays: (address: string) => boolean): string | undefined {
  const ascii = /^[\x21-\x7e]+/.exec(run)?.[0] ?? '';
  const rest = run.slice(ascii.length);
  const goesOn = /[.@/\\:%。．｡]/u.test(rest);
  const address = (goesOn ? run : ascii).replace(/[).,;:!?*_~\]}]+$/, '');
  return stays(address) ? run : undefined;
}
