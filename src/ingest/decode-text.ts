import { decodeStrictly } from './iconv-decoder.js';
import { UnreadableError } from './source-document.js';

const BYTE_ORDER_MARKS: readonly [encoding: string, mark: readonly number[]][] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];

/** Tried where neither a mark nor strict UTF-8 decides; the first of equals wins. */
const CANDIDATES = ['gb18030', 'utf-16le', 'utf-16be', 'big5', 'windows-1252'];
const SAMPLE_BYTES = 64 * 1024;
/** Chinese text of any kind scores above 0.4, Latin text near 1, a wrong decoding near 0 or below. */
const LEAST_PLAUSIBILITY = 0.3;

/** The most frequent characters of modern Chinese, simplified and traditional: right decodings are full of them. */
const FREQUENT_HAN = new Set(
  '的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运笔請問這個們來為國說時會對於過發後裡還進樣實從無與長機關點業將兩間應戰頭體見'.split(
    '',
  ),
);

/**
 * Text of a file: by its byte order mark, as strict UTF-8, as the file itself declares (`<meta charset>`), else by
 * which of the usual encodings gives plausible text.
 *
 * @throws UnreadableError for binary content, damaged UTF-8 and unknown encodings
 */
export function decodeText(bytes: Uint8Array, declared?: string): string {
  for (const [encoding, mark] of BYTE_ORDER_MARKS) {
    if (!mark.every((byte, index) => bytes[index] === byte)) continue;
    const text = decodeStrictly(bytes.subarray(mark.length), encoding);
    if (text === null) throw new UnreadableError(`the text is marked as ${encoding} but is damaged`);
    return text;
  }
  const hasNul = bytes.includes(0);
  const utf8 = hasNul ? null : decodeStrictly(bytes, 'utf-8');
  if (utf8 !== null) return utf8;
  const asDeclared = declared === undefined || hasNul ? null : decodeStrictly(bytes, declared);
  return asDeclared ?? decodeByPlausibility(bytes, hasNul);
}

function decodeByPlausibility(bytes: Uint8Array, hasNul: boolean): string {
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  if (!hasNul && isMostlyUtf8(sample)) throw new UnreadableError('the text is damaged UTF-8');
  const ranked = CANDIDATES.filter((encoding) => hasNul === false || encoding.startsWith('utf-16'))
    .map((encoding) => ({
      encoding,
      plausibility: rate(decodeStrictly(sample, encoding, { partial: true })),
    }))
    .filter(({ plausibility }) => plausibility >= LEAST_PLAUSIBILITY)
    .sort((a, b) => b.plausibility - a.plausibility);
  for (const { encoding } of ranked) {
    const text = decodeStrictly(bytes, encoding);
    if (text !== null) return text;
  }
  throw new UnreadableError(
    'this is not text in a known encoding (UTF-8, UTF-16, GB18030, Big5 or Windows-1252)',
  );
}

/** More whole multi-byte characters than broken ones: the file was UTF-8 once. */
function isMostlyUtf8(bytes: Uint8Array): boolean {
  let whole = 0;
  let broken = 0;
  for (const character of new TextDecoder().decode(bytes, { stream: true })) {
    if (character === '\uFFFD') broken += 1;
    else if (character > '\x7F') whole += 1;
  }
  return whole > broken;
}

/** Mean plausibility of the characters: 1 is certain, below 0 is nonsense. */
function rate(text: string | null): number {
  if (text === null || text === '') return Number.NEGATIVE_INFINITY;
  let sum = 0;
  let count = 0;
  let previous = '';
  for (const character of text) {
    sum += rateCharacter(character, previous);
    count += 1;
    previous = character;
  }
  return sum / count;
}

function rateCharacter(character: string, previous: string): number {
  if (/[\t\n\r\x20-\x7E]/.test(character)) return 1;
  if (FREQUENT_HAN.has(character) || /[，。、；：？！“”‘’（）《》【】…—]/.test(character)) return 1;
  if (/[\u4E00-\u9FA5]/.test(character)) return 0.4;
  if (/\p{Script=Latin}/u.test(character)) return /[A-Za-z]/.test(previous) ? 0.5 : -0.5;
  if (/[°±²³£¥§©®«»–•€\u00A0]/.test(character)) return /[\x20-\x7E]/.test(previous) ? 0.5 : -0.5;
  return -1;
}
