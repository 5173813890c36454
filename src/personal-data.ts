/** Kinds of personal data that are told by their form. */
export type PersonalDataKind =
  | 'e-mail'
  | 'identity number'
  | 'card'
  | 'phone'
  | 'passport'
  | 'plate'
  | 'address';

/** A place in a text, in UTF-16 code units. */
export interface PersonalDatum {
  kind: PersonalDataKind;
  start: number;
  end: number;
}

interface Form {
  kind: PersonalDataKind;
  pattern: RegExp;
  holds?: (match: string) => boolean;
}

const PROVINCES = '京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼';

/**
 * Digits with a space or hyphen now and then, as cards and phones are written; none of our ids look like that. In order:
 * what one has found the later ones leave alone.
 */
const FORMS: readonly Form[] = [
  { kind: 'e-mail', pattern: /[\w.+-]{1,64}@[a-z\d-]{1,63}(?:\.[a-z\d-]{1,63}){1,5}/gi },
  {
    // GB 11643: region, birth date, serial number, check character (ISO 7064, MOD 11-2).
    kind: 'identity number',
    pattern:
      /(?<![\dA-Za-z])[1-9]\d{5}[ -]?(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])[ -]?\d{3}[\dXx](?![\dA-Za-z])/g,
    holds: hasIdentityCheckCharacter,
  },
  // United States social security number; area 000, 666 and 900 on are never given out.
  { kind: 'identity number', pattern: /(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])/g },
  // United Kingdom national insurance number.
  { kind: 'identity number', pattern: /\b[A-CEGHJ-PR-TW-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b/g },
  { kind: 'card', pattern: /(?<![\dA-Za-z])\d(?:[ -]?\d){14,18}(?![\dA-Za-z])/g, holds: isCard },
  {
    kind: 'phone',
    pattern: /(?<![\dA-Za-z])(?:(?:\+|00)?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?![\dA-Za-z])/g,
  },
  {
    kind: 'phone',
    pattern: /(?<![\dA-Za-z])\+\d{1,3}[ -]?(?:\(\d{1,4}\)[ -]?)?\d{2,4}(?:[ -]?\d{2,4}){1,3}(?![\dA-Za-z])/g,
  },
  { kind: 'phone', pattern: /(?<![\dA-Za-z])(?:0\d{2,3}-|\(0\d{2,3}\) ?)\d{7,8}(?![\dA-Za-z])/g },
  { kind: 'phone', pattern: /(?<![\dA-Za-z(-])(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}(?![\dA-Za-z-])/g },
  {
    kind: 'passport',
    pattern:
      /(?<=(?:护照|通行证|passport)(?:号码|号| no\.?| number| num\.?)?[\s:：是为#]{0,4}(?:is )?)[A-Z]{1,2}\d{6,9}(?![\dA-Za-z])/gi,
  },
  { kind: 'passport', pattern: /(?<![\dA-Za-z])(?:E\d{8}|E[A-Z]\d{7}|G\d{8})(?![\dA-Za-z])/g },
  {
    kind: 'plate',
    pattern: new RegExp(
      `[${PROVINCES}][A-HJ-NP-Z][ ·•-]?(?:[A-HJ-NP-Z\\d]{4}[A-HJ-NP-Z\\d学警港澳挂]|[DF][A-HJ-NP-Z\\d]\\d{4}|\\d{5}[DF])(?![A-Za-z\\d])`,
      'g',
    ),
  },
  {
    // From a road to a house number: the town alone is nobody's address.
    kind: 'address',
    pattern:
      /[\p{Script=Han}\d]{1,24}(?:路|街|大道|巷|弄|胡同)\d{1,5}(?:号|弄)(?:[\p{Script=Han}]{0,8}\d{1,4}(?:栋|幢|号楼|座|单元|层|楼|室|号)){0,4}/gu,
  },
  {
    kind: 'address',
    pattern:
      /[\p{Script=Han}]{2,10}(?:小区|花园|公寓|家园|苑|村)\d{1,4}(?:栋|幢|号楼|座|号)(?:\d{1,3}单元)?(?:\d{1,5}室?)?/gu,
  },
  {
    kind: 'address',
    pattern:
      /(?<![\w.])\d{1,5}[A-Za-z]? (?:[A-Z][A-Za-z.']{1,20} ){1,4}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Place|Pl|Way)\b\.?(?:,? (?:Apt|Apartment|Unit|Suite|Flat|#)\.? ?\w{1,6})?/g,
  },
];

/** Full-width digits and signs are read like plain ones; positions stay the same. */
const FULL_WIDTH = /[\uFF01-\uFF5E]/g;

export function toHalfWidth(text: string): string {
  return text.replace(FULL_WIDTH, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0));
}

/** What looks like personal data, in order of place, none within another. */
export function findPersonalData(text: string): PersonalDatum[] {
  const plain = toHalfWidth(text);
  const found: PersonalDatum[] = [];
  for (const { kind, pattern, holds = () => true } of FORMS) {
    for (const match of plain.matchAll(pattern)) {
      const [start, end] = [match.index, match.index + match[0].length];
      const isNew = found.every((other) => end <= other.start || start >= other.end);
      if (isNew && holds(match[0])) found.push({ kind, start, end });
    }
  }
  return found.sort((a, b) => a.start - b.start);
}

function hasIdentityCheckCharacter(text: string): boolean {
  const digits = text.replace(/[ -]/g, '').toUpperCase();
  // 2^(17 - i) mod 11 weighs the digit at i.
  const sum = [...digits.slice(0, 17)].reduce(
    (total, digit, at) => total + Number(digit) * (2 ** (17 - at) % 11),
    0,
  );
  return '10X98765432'[sum % 11] === digits[17];
}

/** Numbers of one digit over and over pass Luhn too; a card's first digit names its industry, none has 0. */
function isCard(text: string): boolean {
  const digits = text.replace(/\D/g, '');
  return /^[2-6]/.test(digits) && hasLuhnCheckDigit(digits);
}

function hasLuhnCheckDigit(number: string): boolean {
  const digits = [...number].reverse().map(Number);
  const sum = digits.reduce((total, digit, index) => {
    const weighted = index % 2 === 0 ? digit : digit * 2;
    return total + (weighted > 9 ? weighted - 9 : weighted);
  }, 0);
  return sum % 10 === 0;
}
