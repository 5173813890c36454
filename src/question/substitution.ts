import { foldToSimplified } from '../retrieve/opencc-folding.js';

/** A code of letters and digits: E07, R3, A104. */
const CODE = /(?<![\p{L}\p{N}])[A-Z]{1,3}-?\d{1,4}(?![\p{L}\p{N}])/gu;
const NUMBER = /(?<![\p{L}\p{N}.])\d+(?![\p{L}\d.])|\d+(?=\p{Script=Han})/gu;
/** A name in capitals inside a sentence, also of two words: PayPal, WeChat Pay, Hong Kong. */
const NAME =
  /(?<=[\p{L}\p{N},] |\p{Script=Han} ?)\p{Lu}[\p{L}\p{N}]*(?: \p{Lu}[\p{L}\p{N}]*)*|(?<=\p{Script=Han} ?)\p{Lu}[\p{L}\p{N}]*/gu;
const LEADING = /^(?:(?:for|to|in|with|from|on|at|of|about|a|an|the)\s+)+/i;

/**
 * Puts what a follow-up names into the place of its counterpart in the question before: a code for a code, a number for
 * a number, a name for a name, "side brush" for "main brush", 边刷 for 主刷. Undefined where no counterpart is plain.
 *
 * @param fragment what the follow-up names and nothing more: "side brush" of "And the side brush?"
 */
export function substitute(previous: string, fragment: string): string | undefined {
  const named = fragment
    .replace(LEADING, '')
    .replace(/[\s\p{P}]+$/u, '')
    .trim();
  if (named === '') return undefined;
  return (
    swapOnly(previous, named, CODE) ??
    swapOnly(previous, named, NUMBER) ??
    swapOne(previous, named) ??
    swapHead(previous, named) ??
    swapOnly(previous, named, NAME, new RegExp(`^(?:${String.raw`\p{Lu}[\p{L}\p{N}]*`}(?: |$))+$`, 'u'))
  );
}

/** Where both have exactly one of the kind, and the follow-up nothing beside it. */
function swapOnly(previous: string, named: string, kind: RegExp, whole?: RegExp): string | undefined {
  const before = [...previous.matchAll(kind)];
  const [there] = before;
  if (there === undefined || before.length !== 1) return undefined;
  const after = whole?.test(named) === true ? named : onlyMatch(named, kind);
  if (after === undefined || after === there[0]) return undefined;
  return previous.slice(0, there.index) + after + previous.slice(there.index + there[0].length);
}

function onlyMatch(named: string, kind: RegExp): string | undefined {
  const [found, further] = named.matchAll(kind);
  if (found === undefined || further !== undefined) return undefined;
  const rest = named.replace(found[0], '').replace(/[\p{P}\s]|期|件|个|号/gu, '');
  return rest === '' ? found[0] : undefined;
}

/** "a small one" for "a large appliance". */
function swapOne(previous: string, named: string): string | undefined {
  const adjective = /^([\p{L}-]+) ones?$/u.exec(named)?.[1];
  const [thing] = [...previous.matchAll(/\b(an?|the) ([\p{L}-]+) ([\p{L}-]+)/giu)].filter(
    ([, , , noun = '']) => !/^(?:of|in|on|for|with|to|from|after|before|is|are|at|and|or)$/i.test(noun),
  );
  if (adjective === undefined || thing === undefined) return undefined;
  const [whole, article, , noun] = thing;
  return `${previous.slice(0, thing.index)}${article} ${adjective} ${noun}${previous.slice(thing.index + whole.length)}`;
}

/** The same last word behind another one: "Max mode" for "Quiet mode"; in Chinese the same last character of a word. */
function swapHead(previous: string, named: string): string | undefined {
  return /\p{Script=Han}/u.test(named) ? swapChineseHead(previous, named) : swapEnglishHead(previous, named);
}

function swapEnglishHead(previous: string, named: string): string | undefined {
  const words = named.split(/\s+/);
  const head = words.at(-1) ?? '';
  if (words.length < 2 || words.length > 4 || head.length < 3) return undefined;
  const modified = new RegExp(`\\b[\\p{L}\\p{N}-]+ ${escapePattern(head)}(?![\\p{L}\\p{N}])`, 'iu').exec(
    previous,
  );
  if (modified === null || /^(?:the|a|an|this|that|my|your|of|in|which|what) /i.test(modified[0]))
    return undefined;
  return previous.slice(0, modified.index) + named + previous.slice(modified.index + modified[0].length);
}

function swapChineseHead(previous: string, named: string): string | undefined {
  const [text, word] = [foldToSimplified(previous), foldToSimplified(named)];
  if (text.length !== previous.length || !/^\p{Script=Han}{2,5}$/u.test(word)) return undefined;
  const head = word.slice(word.length > 3 ? -2 : -1);
  const at = text.indexOf(head);
  const start = at - (word.length - head.length);
  if (at === -1 || start < 0 || text.indexOf(head, at + 1) !== -1) return undefined;
  const counterpart = text.slice(start, at + head.length);
  if (!/^\p{Script=Han}+$/u.test(counterpart) || counterpart === word) return undefined;
  return previous.slice(0, start) + named + previous.slice(at + head.length);
}

function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
