import type { Language } from '../types.js';
import { asContinuation } from './join-sentences.js';

/** Says the same otherwise; undefined where the sentence gives no occasion. */
export type Paraphrase = (text: string, language: Language) => string | undefined;

const ENGLISH_MONTHS =
  'January February March April May June July August September October November December'.split(' ');
const ENGLISH_NUMBERS = 'zero one two three four five six seven eight nine ten eleven twelve'.split(' ');
const CHINESE_DIGITS = '零一二三四五六七八九';

const SYNONYMS: Record<Language, readonly (readonly [string, string])[]> = {
  en: [
    ['however', 'but'],
    ['approximately', 'about'],
    ['about', 'around'],
    ['because', 'since'],
    ['many', 'numerous'],
    ['large', 'big'],
    ['begin', 'start'],
    ['began', 'started'],
    ['usually', 'normally'],
    ['also', 'additionally'],
    ['such as', 'like'],
    ['buy', 'purchase'],
    ['help', 'assist'],
    ['show', 'indicate'],
    ['often', 'frequently'],
    ['need', 'require'],
    ['must', 'have to'],
    ['get', 'receive'],
    ['used', 'employed'],
    ['important', 'significant'],
    ['although', 'though'],
    ['located', 'situated'],
    ['became', 'turned into'],
    ['died', 'passed away'],
    ['wrote', 'authored'],
    ['different', 'various'],
    ['main', 'principal'],
  ],
  zh: [
    ['但是', '不过'],
    ['但', '然而'],
    ['因为', '由于'],
    ['可以', '能够'],
    ['需要', '须'],
    ['如果', '若'],
    ['大约', '约'],
    ['约', '大约'],
    ['以及', '和'],
    ['并且', '而且'],
    ['开始', '起'],
    ['目前', '现在'],
    ['位于', '坐落在'],
    ['成为', '变成'],
    ['使用', '用'],
    ['包括', '包含'],
    ['主要', '大部分'],
    ['认为', '觉得'],
    ['许多', '很多'],
    ['非常', '十分'],
    ['由于', '因为'],
    ['帮助', '协助'],
    ['购买', '买'],
    ['建议', '推荐'],
    ['同时', '与此同时'],
    ['通常', '一般'],
    ['著名', '有名'],
    ['建立', '创建'],
    ['获得', '取得'],
  ],
};

/** Language models introduce what they say. */
const FRAMES: Record<Language, readonly string[]> = {
  en: [
    'According to the documents, ',
    'Based on the information provided, ',
    'Yes, ',
    'In short, ',
    'Please note that ',
    'To answer your question: ',
  ],
  zh: ['根据资料，', '是的，', '根据您提供的信息，', '总的来说，', '请注意，', '简单来说，'],
};

/** The ways, by the name under which they are reported. */
export const PARAPHRASES: Record<string, Paraphrase> = {
  reordered: reorder,
  synonyms: useSynonyms,
  shortened: shorten,
  numerals: writeNumeralsOtherwise,
  dates: writeDatesOtherwise,
  framed: frame,
};

/** "In 1905, he moved." → "He moved in 1905."; 甲，乙，丙。→ 乙，丙，甲。 */
function reorder(text: string, language: Language): string | undefined {
  const stop = /[.!。！]["”’」』]?$/.exec(text)?.[0] ?? '';
  const body = text.slice(0, text.length - stop.length);
  const comma = language === 'zh' ? '，' : ', ';
  const [first = '', ...rest] = body.split(comma);
  if (rest.length === 0) return undefined;
  if (language === 'zh') return `${rest.join(comma)}${comma}${first}${stop}`;
  if (!/^(?:In|On|At|After|Before|During|Since|By|For|From|With|When|If|As)\s/.test(first)) return undefined;
  const main = rest.join(comma);
  return `${main.charAt(0).toUpperCase()}${main.slice(1)} ${first.charAt(0).toLowerCase()}${first.slice(1)}${stop}`;
}

/** Up to two words replaced. */
function useSynonyms(text: string, language: Language): string | undefined {
  let replaced = text;
  let count = 0;
  for (const [word, other] of SYNONYMS[language]) {
    if (count === 2) break;
    const pattern = language === 'zh' ? new RegExp(word) : new RegExp(`\\b${word}\\b`);
    if (!pattern.test(replaced)) continue;
    replaced = replaced.replace(pattern, other);
    count += 1;
  }
  return count === 0 ? undefined : replaced;
}

/** Without what stands in brackets, else without the last of three or more clauses. */
function shorten(text: string, language: Language): string | undefined {
  const plain = text.replace(/\s?[（(][^（()）]{1,80}[)）]/g, '');
  if (plain !== text && plain.length > text.length / 2) return plain;
  const comma = language === 'zh' ? '，' : ', ';
  const clauses = text.split(comma);
  if (clauses.length < 3) return undefined;
  return `${clauses.slice(0, -1).join(comma)}${language === 'zh' ? '。' : '.'}`;
}

/** 3天 → 三天, 三天 → 3天, "three days" → "3 days", "50%" → "50 percent". */
function writeNumeralsOtherwise(text: string, language: Language): string | undefined {
  const changed =
    language === 'zh'
      ? text
          .replace(
            /(?<![\d.,年月至到-])([1-9])(?= ?(?:个|天|次|年(?!\d)|元|小时|分钟|岁))(?![\d.])/g,
            (digit) => (digit === '2' ? '两' : CHINESE_DIGITS.charAt(Number(digit))),
          )
          .replace(/(?<![第几十百千万星期周])([三四五六七八九])(?=天|小时|分钟|岁)/g, (digit) =>
            String(CHINESE_DIGITS.indexOf(digit)),
          )
          .replace(/(?<![\d.])(\d{1,2})%/g, (_, number: string) => `百分之${toChineseNumber(Number(number))}`)
      : text
          .replace(
            /(?<![\d.,–-])\b([2-9]|two|three|four|five|six|seven|eight|nine|ten)(?= (?:days|hours|years|weeks|months|minutes)\b)/g,
            (number) => ENGLISH_NUMBERS[Number(number)] ?? String(ENGLISH_NUMBERS.indexOf(number)),
          )
          .replace(/(\d) ?%/g, '$1 percent');
  return changed === text ? undefined : changed;
}

function toChineseNumber(number: number): string {
  const tens = Math.floor(number / 10);
  const ones = number % 10 === 0 && number > 0 ? '' : CHINESE_DIGITS.charAt(number % 10);
  if (tens === 0) return ones;
  return `${tens === 1 ? '' : CHINESE_DIGITS.charAt(tens)}十${ones}`;
}

/** "12 March 1990" ↔ "March 12, 1990", 1990年3月12日 → 1990-03-12. */
function writeDatesOtherwise(text: string, language: Language): string | undefined {
  const month = ENGLISH_MONTHS.join('|');
  const changed =
    language === 'zh'
      ? text.replace(/(\d{4}) ?年 ?(\d{1,2}) ?月 ?(\d{1,2}) ?日/, (_, year, ofYear, day) =>
          [year, String(ofYear).padStart(2, '0'), String(day).padStart(2, '0')].join('-'),
        )
      : text.replace(
          new RegExp(
            `\\b(\\d{1,2}) (${month})\\b(?: (\\d{4}))?|\\b(${month}) (\\d{1,2})\\b(?!\\d)(?:, (\\d{4}))?`,
          ),
          (_, day, name, year, otherName, otherDay, otherYear) =>
            name === undefined
              ? `${otherDay} ${otherName}${otherYear === undefined ? '' : ` ${otherYear}`}`
              : `${name} ${day}${year === undefined ? '' : `, ${year}`}`,
        );
  return changed === text ? undefined : changed;
}

function frame(text: string, language: Language): string | undefined {
  const frames = FRAMES[language];
  return `${frames[text.length % frames.length]}${asContinuation(text)}`;
}
