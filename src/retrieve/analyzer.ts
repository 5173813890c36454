import { LRUCache } from 'lru-cache';
import { stemmer } from 'stemmer';
import { createJiebaSegmenter, type Segmenter } from './jieba-segmenter.js';
import { foldToSimplified } from './opencc-folding.js';
import { createPhraseMatcher, type Phrase, type PhraseMatcher, type Unit } from './phrase-matcher.js';
import { STOP_WORDS } from './stop-words.js';

/** Changes with every change of what `analyze` gives: passages analysed by another version are indexed again. */
export const ANALYZER_VERSION = 'askbase-2';

/** What a knowledge base knows about its words: `dictionary` and `synonyms` of kb.yaml. */
export interface Lexicon {
  /** Words and phrases that are terms of their own. */
  dictionary: readonly string[];
  /** Groups of words and phrases that find each other. */
  synonyms: readonly (readonly string[])[];
}

/**
 * Turns text into the terms that lexical search matches by. Pure and synchronous: about 1 ms per 3,000 characters.
 * A change of the lexicon changes the terms of passages too, so their documents must be indexed again.
 */
export interface Analyzer {
  readonly version: string;
  /** Terms of a passage in order, repeats kept. */
  analyze(text: string, lexicon: Lexicon): string[];
  /** Terms of a question: words without the character pairs that stand in the index for every way of cutting. */
  analyzeQuestion(text: string, lexicon: Lexicon): string[];
  /**
   * The same terms, each with what it counts beside the others (above 0, at most 1). The words inside a long word count as much as
   * it does, all together: 维多利亚州 has six of them and is not seven times what 轨距 is.
   */
  weighQuestion(text: string, lexicon: Lexicon): Map<string, number>;
}

/** A stretch of text between separators: of Han characters, or one word, number or code. */
type Stretch = { kind: 'han'; text: string } | { kind: 'word'; text: string } | { kind: 'break' };

const HAN = String.raw`\p{Script=Han}`;
const LETTER = String.raw`(?:(?!${HAN})[\p{L}\p{N}\p{M}])`;
/** Han run | word with inner marks (v2.1, iso-9001, 1,000, don't, c++) | anything else that is not white space. */
const STRETCH = new RegExp(
  `(?<han>${HAN}+)|(?<word>${LETTER}+(?:[.,'’_/-]${LETTER}+)*(?:\\+\\+|#(?!${LETTER}))?)|(?<break>[^\\s])`,
  'gu',
);

export function createAnalyzer(): Analyzer {
  const segmenter = createJiebaSegmenter();
  const matchers = new LRUCache<string, PhraseMatcher>({ max: 100 });

  const phraseTerms = (stretches: readonly Stretch[], lexicon: Lexicon): string[] => {
    if (lexicon.dictionary.length === 0 && lexicon.synonyms.length === 0) return [];
    const key = JSON.stringify([lexicon.dictionary, lexicon.synonyms]);
    const matcher = matchers.get(key) ?? createPhraseMatcher(lexiconPhrases(lexicon, segmenter));
    matchers.set(key, matcher);
    return matcher(toUnits(stretches, segmenter));
  };

  const analyze = (text: string, lexicon: Lexicon, { hanTerms, latinTerms }: TermRules): WeighedTerm[] => {
    const stretches = cutIntoStretches(text);
    const terms = stretches.flatMap((stretch) => {
      if (stretch.kind === 'break') return [];
      return stretch.kind === 'han' ? hanTerms(stretch.text, segmenter) : latinTerms(stretch.text).map(whole);
    });
    const wanted = terms.filter(({ term }) => !STOP_WORDS.has(term));
    // "What is it?" has nothing but stop words: better to search by those than by nothing.
    return [...(wanted.length === 0 ? terms : wanted), ...phraseTerms(stretches, lexicon).map(whole)];
  };
  const weighQuestion = (text: string, lexicon: Lexicon): Map<string, number> => {
    const weights = new Map<string, number>();
    for (const { term, weight } of analyze(text, lexicon, QUESTION)) {
      weights.set(term, Math.max(weight, weights.get(term) ?? 0));
    }
    return weights;
  };

  return {
    version: ANALYZER_VERSION,
    analyze: (text, lexicon) => analyze(text, lexicon, PASSAGE).map(({ term }) => term),
    analyzeQuestion: (text, lexicon) => [...weighQuestion(text, lexicon).keys()],
    weighQuestion,
  };
}

function cutIntoStretches(text: string): Stretch[] {
  const normal = text.normalize('NFKC').replaceAll('\u2010', '-').toLowerCase();
  const folded = /\p{Script=Han}/u.test(normal) ? foldToSimplified(normal) : normal;
  return Array.from(folded.matchAll(STRETCH), ({ groups }): Stretch => {
    if (groups?.han !== undefined) return { kind: 'han', text: groups.han };
    if (groups?.word !== undefined) return { kind: 'word', text: groups.word };
    return { kind: 'break' };
  });
}

interface WeighedTerm {
  term: string;
  weight: number;
}

/** What a passage gives in every form that it may be asked for in, a question gives once. */
interface TermRules {
  hanTerms: (run: string, segmenter: Segmenter) => WeighedTerm[];
  latinTerms: (word: string) => string[];
}

const PASSAGE: TermRules = {
  hanTerms: passageHanTerms,
  latinTerms: (word) => [...wordTerms(word), ...joinedWord(word)],
};
const QUESTION: TermRules = { hanTerms: questionHanTerms, latinTerms: wordTerms };

function whole(term: string): WeighedTerm {
  return { term, weight: 1 };
}

/**
 * Words, and every pair of neighbouring characters: a two-character word is found however the segmenter cut the
 * passage (退货 in 退|货运费).
 */
function passageHanTerms(run: string, segmenter: Segmenter): WeighedTerm[] {
  const words = segmenter.cutForSearch(run);
  const pairsAmongWords = new Map<string, number>();
  for (const word of words) {
    if (isPair(word)) pairsAmongWords.set(word, (pairsAmongWords.get(word) ?? 0) + 1);
  }
  const furtherPairs = characterPairs([...run]).filter((pair) => {
    const left = pairsAmongWords.get(pair) ?? 0;
    pairsAmongWords.set(pair, left - 1);
    return left <= 0;
  });
  return [...words, ...furtherPairs].map(whole);
}

/** Words, and pairs only where the segmenter knew no word: 碎|屏 gives 碎屏 as well. */
function questionHanTerms(run: string, segmenter: Segmenter): WeighedTerm[] {
  const words = segmenter.cut(run);
  const terms = words.flatMap((word) => wordWithParts(word, segmenter));
  if (isPair(run)) return [...terms, whole(run)];
  let unknown: string[] = [];
  for (const word of words) {
    if ([...word].length === 1 && !STOP_WORDS.has(word)) {
      unknown.push(word);
      continue;
    }
    terms.push(...characterPairs(unknown).map(whole));
    unknown = [];
  }
  return [...terms, ...characterPairs(unknown).map(whole)];
}

/** A word, and the shorter ones inside it, which share what it counts. */
function wordWithParts(word: string, segmenter: Segmenter): WeighedTerm[] {
  const parts = new Set(segmenter.cutForSearch(word));
  parts.delete(word);
  return [...Array.from(parts, (term) => ({ term, weight: 1 / parts.size })), whole(word)];
}

function characterPairs(characters: readonly string[]): string[] {
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}

function isPair(word: string): boolean {
  return [...word].length === 2;
}

/**
 * A plain word is stemmed. What has a digit is kept whole, without hyphens (E-07 and E07 are the same code), and its
 * parts are terms too (9001 finds ISO-9001, "3.5 mm" finds 3.5mm).
 */
function wordTerms(raw: string): string[] {
  const word = stripMarks(raw);
  if (!/\p{N}/u.test(word)) {
    if (/[+#]$/.test(word)) return [word];
    return splitWord(word).map(stem);
  }
  const grouped = word.replace(/(?<=\p{N}),(?=\p{N}{3}(?!\p{N}))/gu, '');
  const whole = grouped.replace(/[-_'’]/g, '');
  const quantity = /^([\p{N}.]+)(\p{L}+)$/u.exec(whole);
  const parts =
    quantity === null ? grouped.split(/[-_/,'’]/) : [quantity[1] as string, quantity[2] as string];
  return parts.length === 1
    ? [whole]
    : [whole, ...parts.map((part) => (/\p{N}/u.test(part) ? part : stem(part)))];
}

/** don't → don, customer's → customer, next-day → next day. */
function splitWord(word: string): string[] {
  return word.replace(/['’]\p{L}{1,2}$/u, '').split(/[.,'’_/-]/);
}

/** A plain word with a hyphen, without it: email finds e-mail, wifi finds Wi-Fi. */
function joinedWord(raw: string): string[] {
  const word = stripMarks(raw);
  return /^\p{L}+(?:-\p{L}+)+$/u.test(word) ? [stem(word.replaceAll('-', ''))] : [];
}

function stem(word: string): string {
  return /^[a-z]{3,}$/.test(word) && !STOP_WORDS.has(word) ? stemmer(word) : word;
}

/** café → cafe. Only for Latin letters: elsewhere a mark can make another letter. */
function stripMarks(word: string): string {
  return /\p{Script=Latin}/u.test(word) ? word.normalize('NFD').replace(/\p{M}/gu, '') : word;
}

function toUnits(stretches: readonly Stretch[], segmenter: Segmenter): Unit[] {
  return stretches.flatMap((stretch): Unit[] => {
    if (stretch.kind === 'break') return [{ text: '\n', startsWord: true, endsWord: true }];
    if (stretch.kind === 'han') return segmenter.cut(stretch.text).flatMap(characterUnits);
    const [whole] = wordTerms(stretch.text);
    const parts = /\p{N}/u.test(stretch.text) ? [whole ?? stretch.text] : wordTerms(stretch.text);
    return parts.map((text) => ({ text, startsWord: true, endsWord: true }));
  });
}

function characterUnits(word: string): Unit[] {
  const characters = [...word];
  return characters.map((text, index) => ({
    text,
    startsWord: index === 0,
    endsWord: index === characters.length - 1,
  }));
}

/**
 * A dictionary word is a term itself (a single unit is one anyway); all of a synonym group share one term that no
 * text can contain.
 */
function lexiconPhrases({ dictionary, synonyms }: Lexicon, segmenter: Segmenter): Phrase[] {
  const unitsOf = (phrase: string): string[] =>
    toUnits(cutIntoStretches(phrase), segmenter).map(({ text }) => text);
  const words = dictionary
    .map(unitsOf)
    .filter((units) => units.length > 1)
    .map((units) => ({ units, term: units.join('') }));
  const groups = synonyms.flatMap((group) => {
    const term = `=${unitsOf(group[0] ?? '').join(' ')}`;
    return group.map((phrase) => ({ units: unitsOf(phrase), term }));
  });
  return [...words, ...groups];
}
