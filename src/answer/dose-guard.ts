import type { Language } from '../types.js';
import type { AnswerEvent } from './answerer.js';

const SMALL_NUMBERS = 'half one two three four five six seven eight nine ten'.split(' ');
const CHINESE_NUMBERS = '半一二三四五六七八九十';
const NUMBER = String.raw`(?:\d[\d,]*(?:\.\d+)?|(?<![a-z])(?:${SMALL_NUMBERS.join('|')})(?= )|[${CHINESE_NUMBERS}两])`;
const UNITS: Record<string, string> = {
  microgram: 'mcg|µg|μg|micrograms?|微克',
  milligram: 'mg|milligrams?|毫克',
  gram: 'g|grams?|克',
  millilitre: 'ml|millilit(?:er|re)s?|毫升',
  unit: 'iu|units?|国际单位',
  piece: 'tablets?|pills?|capsules?|caplets?|片|粒|颗',
  drop: 'drops?|滴',
  puff: 'puffs?|喷',
};
const UNIT = Object.values(UNITS).join('|');
/** 400 mg, 200–400 mg, 500 mg to 1 g, two tablets, 两片. */
const DOSE = new RegExp(
  `(?<![\\p{L}\\d.])(${NUMBER})(?: ?(?:[-–—~～至到]|to|or|或) ?(${NUMBER}))?[ -]?(${UNIT})(?![a-z])`,
  'giu',
);
/** What may become a dose with what comes next. */
const BEGINNING = new RegExp(`(?:${NUMBER}|(?<![a-z])[a-z]{1,5}$)`, 'giu');
/** As long as the longest dose: "500 milligrams to 1,000 milligrams". */
const LONGEST = 40;

const WITHHELD: Record<Language, string> = {
  en: '(dose withheld: no source names it)',
  zh: '（剂量略去：资料中没有）',
};

/**
 * Lets no dose through that neither the passages nor the question name: in its place stands that it is withheld. Text
 * waits for at most 40 characters, and only behind a number.
 */
export async function* guardDoses(
  events: AsyncIterable<AnswerEvent>,
  { given, language }: { given: readonly string[]; language: Language },
): AsyncGenerator<AnswerEvent> {
  const known = new Set(given.flatMap(readDoses));
  let waiting = '';
  const release = function* (text: string): Generator<AnswerEvent> {
    const { kept, withheld } = withhold(text, known, WITHHELD[language]);
    if (kept !== '') yield { type: 'text', text: kept };
    if (withheld > 0) yield { type: 'doses-withheld', count: withheld };
  };
  for await (const event of events) {
    if (event.type !== 'text') {
      yield event;
      continue;
    }
    waiting += event.text;
    const end = endOfSafeText(waiting);
    yield* release(waiting.slice(0, end));
    waiting = waiting.slice(end);
  }
  yield* release(waiting);
}

function endOfSafeText(text: string): number {
  const from = Math.max(0, text.length - LONGEST);
  const open = [...text.matchAll(BEGINNING)].find(({ index, 0: found }) => index + found.length > from);
  return open?.index ?? text.length;
}

function withhold(
  text: string,
  known: ReadonlySet<string>,
  notice: string,
): { kept: string; withheld: number } {
  let withheld = 0;
  const kept = text.replaceAll(DOSE, (dose) => {
    if (readDoses(dose).every((one) => known.has(one))) return dose;
    withheld += 1;
    return notice;
  });
  return { kept, withheld };
}

/** Each end of a range by itself, in one unit: `400 milligram`. */
function readDoses(text: string): string[] {
  return [...text.matchAll(DOSE)].flatMap(([, from = '', to, written = '']) => {
    const unit = nameUnit(written);
    return [from, ...(to === undefined ? [] : [to])].map((number) => writeDose(readNumber(number), unit));
  });
}

function nameUnit(written: string): string {
  const found = Object.entries(UNITS).find(([, words]) => new RegExp(`^(?:${words})$`, 'iu').test(written));
  return found?.[0] ?? written;
}

function writeDose(value: number, unit: string): string {
  if (unit === 'gram') return `${value * 1000} milligram`;
  if (unit === 'microgram') return `${value / 1000} milligram`;
  return `${value} ${unit}`;
}

function readNumber(written: string): number {
  const word = written.toLowerCase();
  if (word === '两') return 2;
  const [english, chinese] = [SMALL_NUMBERS.indexOf(word), CHINESE_NUMBERS.indexOf(word)];
  const place = Math.max(english, chinese);
  if (place === 0) return 0.5;
  return place > 0 ? place : Number(word.replaceAll(',', ''));
}
