/** A number with what it counts: `30 days`, `¥18`, `7 个工作日`, `31 January`, `16:00`. */
export interface Quantity {
  /** As it stands in the text, with its unit. */
  text: string;
  /** Written one way: digits with a decimal point; `MM-DD` for a day of a month, `MM` for a month; `HH:MM` for a time. */
  value: string;
  /** Name of the unit from `UNITS`; null where none is written, which agrees with any. */
  unit: string | null;
}

/** Tried in this order: what is longer comes first where one begins like another. */
const UNITS: Record<string, string> = {
  second: 'seconds? secs? 秒钟? 秒 秒鐘',
  minute: 'minutes? mins? 分钟 分鐘',
  hour: 'hours? hrs? 个?小时 個?小時 个?钟头',
  workday: '(?:business|working)[\\s-]days? 个?工作日',
  day: 'days? 天 日(?!本)',
  week: 'weeks? 周(?![岁年]) 週 个?星期 個?星期',
  month: 'months? 个月 個月',
  age: 'years?[\\s-]old 周?岁 歲',
  year: 'years? 年 周年',
  percent: '% percent per\\scent',
  yuan: 'yuan rmb cny 元 块钱? 人民币',
  dollar: 'dollars? usd 美元 美金',
  euro: 'euros? eur 欧元 歐元',
  kilogram: 'kg kilograms? kilos? 公斤 千克',
  milligram: 'mg milligrams? 毫克',
  gram: 'g grams? 克',
  millilitre: 'ml millilit(?:er|re)s? 毫升',
  litre: 'l lit(?:er|re)s? 升',
  millimetre: 'mm millimet(?:er|re)s? 毫米 公釐',
  centimetre: 'cm centimet(?:er|re)s? 厘米 公分',
  kilometre: 'km kilomet(?:er|re)s? 公里 千米',
  metre: 'm met(?:er|re)s? 米 公尺',
  degree: '°c ℃ degrees? 摄氏度 度',
  watt: 'w watts? 瓦',
  volt: 'v volts? 伏',
  times: 'times 次',
};
const UNIT_PATTERNS = Object.entries(UNITS).map(([unit, words]) => ({
  unit,
  // A Latin unit ends with its word: "5 m" is not the beginning of "5 mistakes".
  pattern: new RegExp(`^[ -]?(?:${words.split(' ').join('|')})(?![a-z])`, 'i'),
}));
const CURRENCIES: Record<string, string> = { '¥': 'yuan', '￥': 'yuan', $: 'dollar', '€': 'euro' };

const MONTHS = 'january february march april may june july august september october november december'.split(
  ' ',
);
const MONTH = `(?:${MONTHS.map((month) => `${month}|${month.slice(0, 3)}`).join('|')})\\.?`;
const ENGLISH_DATE = new RegExp(
  `\\b(\\d{1,2})(?:st|nd|rd|th)? (?:of )?(${MONTH})(?![a-z])|\\b(${MONTH}) (\\d{1,2})(?:st|nd|rd|th)?\\b(?!:)`,
  'gi',
);
/** The year before stays a number of its own. */
const CHINESE_DATE = /(\d{1,2}) ?月 ?(\d{1,2}) ?[日号號]/g;
const ISO_DATE = /(?<=(?<!\d)\d{4})-(\d{1,2})-(\d{1,2})(?![\d-])/g;
/** "March 1889": the month alone could be a verb or a name. */
const ENGLISH_MONTH = new RegExp(`\\b(${MONTH})(?=,? (?:of )?\\d{4}\\b)`, 'gi');
const CHINESE_MONTH = /(?<![\d个])(\d{1,2}) ?月(?!\d)/g;
const TIME =
  /(下午|晚上|上午|早上)?(\d{1,2})(?:[:：](\d{2})|(?=[ ]?[ap]\.?m\b)|(?=点))(?:点(半)?)?[ ]?([ap])?(?:\.?m\b)?/gi;
/** Han characters stand right before and after a number; a Latin letter makes it part of a code. */
const NUMBER =
  /([¥￥$€])? ?(?<![\p{Script=Latin}\d.]|\p{Script=Latin}-)(\d+(?:,\d{3})+|\d+)(\.\d+)?(?![\d])(?: ?(百万|千万|万亿|亿|萬億|億|万|萬|千(?!克|米|瓦|公)|百(?!分)|(?:hundred|thousand|million|billion|trillion)\b))?/gu;
const SCALES: Record<string, number> = {
  百: 1e2,
  hundred: 1e2,
  千: 1e3,
  thousand: 1e3,
  万: 1e4,
  萬: 1e4,
  百万: 1e6,
  million: 1e6,
  千万: 1e7,
  亿: 1e8,
  億: 1e8,
  billion: 1e9,
  万亿: 1e12,
  萬億: 1e12,
  trillion: 1e12,
};
const CHINESE_PERCENT = /百分之([零一二两三四五六七八九十百]+|\d+(?:\.\d+)?)/g;
/** 2–4 business days: both numbers have the unit. */
const RANGE = /^ ?(?:[-–—~～至到]|to|or|and|或) ?(?=[¥￥$€]?\d)/i;

const ENGLISH_NUMBERS =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const ENGLISH_TENS = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
const NUMBER_WORD = new RegExp(
  `\\b(?:(${ENGLISH_TENS.join('|')})(?:[ -](${ENGLISH_NUMBERS.slice(1, 10).join('|')}))?|(${ENGLISH_NUMBERS.join('|')}))\\b(?=[ -](?:[a-z]+ ){0,1}?(?:second|minute|hour|day|week|month|year|time|percent|yuan|dollar|euro|business|working|kilo|gram|met|lit|degree))`,
  'gi',
);
const CHINESE_NUMBER =
  /[零一二两三四五六七八九十百千]+(?=(?:个?(?:工作日|小时|月|星期)|天|日|周|年|岁|次|元|块|公斤|千克|克|毫克|毫升|升|米|厘米|分钟|秒|度))/g;

/** Stands where a number was: parts words, but neither clauses nor sentences. */
const GAP = ' · ';

/** Every number of a text, whatever way it is written. */
export function readQuantities(text: string): Quantity[] {
  return separateQuantities(text).quantities;
}

/** The numbers of a text, and the words that are left without them and their units. */
export function separateQuantities(text: string): { quantities: Quantity[]; words: string } {
  const quantities: Quantity[] = [];
  let rest = writeDigits(text.normalize('NFKC'));
  const take = (pattern: RegExp, read: (match: RegExpMatchArray) => Value | undefined): void => {
    rest = rest.replace(pattern, (...match) => {
      const quantity = read(match as unknown as RegExpMatchArray);
      if (quantity === undefined) return match[0];
      quantities.push({ text: match[0].trim(), ...quantity });
      return GAP;
    });
  };
  take(ENGLISH_DATE, ([, day, month, otherMonth, otherDay]) => {
    return date(monthNumber(month ?? otherMonth ?? ''), Number(day ?? otherDay));
  });
  take(CHINESE_DATE, ([, month, day]) => date(Number(month), Number(day)));
  take(ISO_DATE, ([, month, day]) => date(Number(month), Number(day)));
  take(ENGLISH_MONTH, ([, name = '']) => monthOf(monthNumber(name)));
  take(CHINESE_MONTH, ([, month]) => monthOf(Number(month)));
  take(TIME, ([, half, hour, minute, halfHour, meridiem]) =>
    time(
      Number(hour),
      minute ?? (halfHour ? '30' : '00'),
      /下午|晚上|p/i.test(`${half ?? ''}${meridiem ?? ''}`),
    ),
  );
  const withDigits = rest;
  let words = '';
  let at = 0;
  for (const {
    index,
    0: whole,
    1: currency,
    2: integer = '',
    3: fraction = '',
    4: scale,
  } of withDigits.matchAll(NUMBER)) {
    const end = index + whole.length;
    const unit = readUnit(withDigits.slice(end), currency);
    const number = Number(integer.replaceAll(',', '') + fraction) * (SCALES[scale ?? ''] ?? 1);
    const text = withDigits.slice(index, end + unit.length).trim();
    // 1.1 million is 1100000.0000000001 otherwise.
    quantities.push({ text, value: String(Number(number.toPrecision(12))), unit: unit.name });
    words += `${withDigits.slice(at, index)}${GAP}`;
    at = end + unit.length;
  }
  return { quantities, words: words + withDigits.slice(at) };
}

/** `length`: how many characters after the number are its unit. The unit of a range stands behind its last number. */
function readUnit(after: string, currency: string | undefined): { name: string | null; length: number } {
  if (currency !== undefined) return { name: CURRENCIES[currency] ?? null, length: 0 };
  const range = RANGE.exec(after);
  const beyond = range === null ? after : after.slice(range[0].length).replace(/^[¥￥$€]?\d[\d,.]*/, '');
  for (const { unit, pattern } of UNIT_PATTERNS) {
    const word = pattern.exec(beyond)?.[0];
    if (word !== undefined) return { name: unit, length: range === null ? word.length : 0 };
  }
  return { name: null, length: 0 };
}

type Value = Omit<Quantity, 'text'>;

function monthNumber(name: string): number {
  const short = name.slice(0, 3).toLowerCase();
  return MONTHS.findIndex((month) => month.startsWith(short)) + 1;
}

function monthOf(month: number): Value | undefined {
  return month < 1 || month > 12 ? undefined : { value: String(month).padStart(2, '0'), unit: 'date' };
}

function date(month: number, day: number): Value | undefined {
  if (month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  return { value: `${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`, unit: 'date' };
}

function time(hour: number, minute: string, afterNoon: boolean): Value | undefined {
  if (hour > 24 || Number(minute) > 59) return undefined;
  const hours = afterNoon && hour < 12 ? hour + 12 : hour;
  return { value: `${String(hours).padStart(2, '0')}:${minute}`, unit: 'time' };
}

/** thirty days → 30 days, 三十天 → 30天. Only before a unit: "one" and 一 are mostly no numbers. */
function writeDigits(text: string): string {
  return text
    .replaceAll(NUMBER_WORD, (_, tens?: string, ones?: string, small?: string) => {
      if (small !== undefined) return String(ENGLISH_NUMBERS.indexOf(small.toLowerCase()));
      const ten = (ENGLISH_TENS.indexOf((tens ?? '').toLowerCase()) + 2) * 10;
      return String(ten + (ones === undefined ? 0 : ENGLISH_NUMBERS.indexOf(ones.toLowerCase())));
    })
    .replaceAll(CHINESE_PERCENT, (_, number: string) =>
      /\d/.test(number) ? `${number}%` : `${readChineseNumber(number)}%`,
    )
    .replaceAll(CHINESE_NUMBER, (number) => String(readChineseNumber(number)));
}

const CHINESE_DIGITS = '零一二三四五六七八九';

function readChineseNumber(text: string): number {
  let total = 0;
  let digit = 0;
  for (const character of text) {
    const scale = { 十: 10, 百: 100, 千: 1_000 }[character];
    if (scale === undefined) {
      digit = character === '两' ? 2 : CHINESE_DIGITS.indexOf(character);
    } else {
      total += (digit === 0 ? 1 : digit) * scale;
      digit = 0;
    }
  }
  return total + digit;
}

/**
 * How a quantity of an answer stands to those of a passage. A month agrees with each of its days, and a number
 * without a unit with any.
 *
 * @param closely a number without a unit does not agree where the same number with another unit is given as well
 */
export function compareQuantity(
  claimed: Value,
  given: readonly Value[],
  { closely = false } = {},
): 'same' | 'other-unit' | 'missing' {
  const sameValue = given.filter((quantity) => hasValueOf(quantity, claimed));
  if (sameValue.length === 0) return 'missing';
  if (claimed.unit === null || sameValue.some(({ unit }) => unit === claimed.unit)) return 'same';
  const bare = sameValue.filter(({ unit }) => unit === null).length;
  return bare === sameValue.length || (bare > 0 && !closely) ? 'same' : 'other-unit';
}

/** Numbers of the answer's sentence that come oftener than in the passage's, while another of the latter is missing. */
export function exchangedQuantities(claimed: readonly Quantity[], given: readonly Quantity[]): Quantity[] {
  const isLeftOut = given.some((quantity) => countOf(quantity, claimed) < countOf(quantity, given));
  return isLeftOut ? claimed.filter((quantity) => countOf(quantity, claimed) > countOf(quantity, given)) : [];
}

function countOf(quantity: Value, among: readonly Value[]): number {
  return among.filter((other) => hasValueOf(other, quantity)).length;
}

function hasValueOf({ value, unit }: Value, claimed: Value): boolean {
  if (value === claimed.value) return true;
  return unit === 'date' && claimed.unit === 'date' && value.startsWith(`${claimed.value}-`);
}
