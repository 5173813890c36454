import type { Language } from '../types.js';

export interface TamperOptions {
  language: Language;
  /** The passage the sentence is from. */
  passage: string;
  /** Names of the passage's document, and of others. */
  names: { here: readonly string[]; elsewhere: readonly string[] };
  random: () => number;
}

/** Changes one thing, so that the passage no longer says it; undefined where the sentence has no such thing. */
export type Tamper = (text: string, options: TamperOptions) => string | undefined;

/** What is changed, by the name under which it is reported. */
export const TAMPERINGS: Record<string, Tamper> = {
  number: changeNumber,
  'number-of-passage': takeOtherNumber,
  date: changeDate,
  name: takeName('elsewhere'),
  'name-of-passage': takeName('here'),
  unit: changeUnit,
  negation: changeNegation,
};

const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);
const MONTH = MONTHS.join('|');
const CHINESE_DATE =
  /\d{1,4} ?年(?:(?<=\d{4} ?年)(?: ?\d{1,2} ?月)?(?: ?\d{1,2} ?[日号])?)|\d{1,2} ?月 ?\d{1,2} ?[日号]/g;
const ENGLISH_DATE = new RegExp(
  `\\b(?:\\d{1,2} (?:${MONTH})|(?:${MONTH})(?: \\d{1,2})?)(?:,? \\d{4})?\\b|\\b(?:in|since|by|from|until) 1\\d{3}\\b`,
  'g',
);
/** Not in a code, not part of a date. */
const NUMBER = /(?<![A-Za-z\d.,:/-])\d+(?:,\d{3})*(?:\.\d+)?(?![\p{Lu}\d:/-]|[.,]\d)/gu;

function datesOf(text: string, language: Language): RegExpExecArray[] {
  return [...text.matchAll(language === 'zh' ? CHINESE_DATE : ENGLISH_DATE)];
}

/** Numbers that are no part of a date. */
export function numbersOf(text: string, language: Language): RegExpExecArray[] {
  const dates = datesOf(text, language).map(({ index, 0: date }) => [index, index + date.length] as const);
  return [...text.matchAll(NUMBER)].filter(
    ({ index }) => !dates.some(([start, end]) => index >= start && index < end),
  );
}

function changeNumber(text: string, { language, random }: TamperOptions): string | undefined {
  const found = pick(numbersOf(text, language), random);
  if (found === undefined) return undefined;
  return replaceAt(text, found, changeDigit(found[0], random));
}

/** The hard way: the other number is in the passage too. */
function takeOtherNumber(text: string, { language, passage, random }: TamperOptions): string | undefined {
  const found = pick(numbersOf(text, language), random);
  if (found === undefined) return undefined;
  const inText = new Set(numbersOf(text, language).map(([number]) => number));
  const others = numbersOf(passage, language).filter(([number]) => !inText.has(number));
  const other = pick(others, random);
  return other === undefined ? undefined : replaceAt(text, found, other[0]);
}

/** Another day, month or year. */
function changeDate(text: string, { language, random }: TamperOptions): string | undefined {
  const found = pick(datesOf(text, language), random);
  if (found === undefined) return undefined;
  const [date] = found;
  const parts = [...date.matchAll(new RegExp(`\\d+|${MONTH}`, 'g'))];
  const part = pick(parts, random);
  if (part === undefined) return undefined;
  const month = MONTHS.indexOf(part[0]);
  const isMonth =
    month !== -1 ||
    date
      .slice(part.index + part[0].length)
      .trimStart()
      .startsWith('月');
  let other: string;
  if (month !== -1) other = MONTHS[(month + 1 + Math.floor(random() * 11)) % 12] as string;
  else if (isMonth) other = String(((Number(part[0]) + Math.floor(random() * 11)) % 12) + 1);
  else if (part[0].length <= 2) other = String(((Number(part[0]) + Math.floor(random() * 27)) % 28) + 1);
  else other = changeDigit(part[0], random);
  if (other === part[0]) return undefined;
  return replaceAt(text, found, replaceAt(date, part, other));
}

function takeName(from: keyof TamperOptions['names']): Tamper {
  return (text, { language, passage, names, random }) => {
    const found = pick(
      names.here.filter((name) => text.includes(name)),
      random,
    );
    if (found === undefined) return undefined;
    const fits = (name: string): boolean =>
      !text.includes(name) &&
      !found.includes(name) &&
      (from === 'here' ? passage.includes(name) : !passage.includes(name)) &&
      (language === 'zh' || /^\p{Lu}/u.test(name) === /^\p{Lu}/u.test(found));
    const other = pick(names[from].filter(fits), random);
    return other === undefined ? undefined : text.replace(found, other);
  };
}

const UNITS: Record<Language, readonly (readonly string[])[]> = {
  zh: [
    ['天', '小时', '个月', '周', '分钟'],
    ['元', '美元', '欧元'],
    ['公里', '米', '厘米'],
    ['公斤', '克', '毫克'],
  ],
  en: [
    ['days', 'hours', 'months', 'weeks', 'minutes'],
    ['yuan', 'dollars', 'euros'],
    ['kilometres', 'metres', 'centimetres'],
    ['kg', 'g', 'mg'],
    ['percent', 'degrees'],
  ],
};

function changeUnit(text: string, { language, random }: TamperOptions): string | undefined {
  for (const units of UNITS[language]) {
    const boundary = language === 'zh' ? '' : '\\b';
    const pattern = new RegExp(
      `(?<=\\d ?)(?:${units.toSorted((a, b) => b.length - a.length).join('|')})${boundary}`,
    );
    const found = pattern.exec(text);
    if (found === null) continue;
    const other = pick(
      units.filter((unit) => unit !== found[0]),
      random,
    );
    return other === undefined ? undefined : replaceAt(text, found, other);
  }
  return undefined;
}

/** Puts a "not" behind the first verb that takes one, or takes away the one that is there. */
function changeNegation(text: string, { language }: TamperOptions): string | undefined {
  if (language === 'en') {
    const without = text.replace(
      /\b(is|are|was|were|can|must|will|may|should|do|does|did) not\b|\b(can)not\b/,
      '$1$2',
    );
    if (without !== text) return without;
    const withNot = text.replace(
      /\b(is|are|was|were|can|must|will|may|should)\b(?! (?:not|no|never|only)\b)/,
      '$1 not',
    );
    return withNot === text ? undefined : withNot;
  }
  const without = text.replace(/不(?=可以|能|会|是|需要|支持|得|可|要)/, '');
  if (without !== text) return without;
  const withNot = text.replace(
    /(?<![不也还就只都而于但])(?=可以|能够|需要|支持|会(?!议|员|计|长|社|场|战|合|堂|所)|属于)/,
    '不',
  );
  return withNot === text ? undefined : withNot;
}

/** One digit replaced by another; the first digit stays a digit from 1. */
function changeDigit(number: string, random: () => number): string {
  const places = [...number].flatMap((character, index) => (/\d/.test(character) ? [index] : []));
  const place = places[Math.floor(random() * places.length)] ?? 0;
  const digit = Number(number.charAt(place));
  const step = 1 + Math.floor(random() * 8);
  const other = place === 0 ? ((digit - 1 + step) % 9) + 1 : (digit + step) % 10;
  return `${number.slice(0, place)}${other}${number.slice(place + 1)}`;
}

export function replaceAt(
  text: string,
  { index, 0: found }: { index: number; 0: string },
  other: string,
): string {
  return `${text.slice(0, index)}${other}${text.slice(index + found.length)}`;
}

function pick<T>(items: readonly T[], random: () => number): T | undefined {
  return items[Math.floor(random() * items.length)];
}
