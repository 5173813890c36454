import { passageSearchText } from '../passage-text.js';
import { createJiebaSegmenter } from '../retrieve/jieba-segmenter.js';
import { foldToSimplified } from '../retrieve/opencc-folding.js';
import type { Language, Passage } from '../types.js';
import { soundOf } from './pinyin-pro-sounds.js';

/** The words of a knowledge base: what a slip of the pen may have meant. */
export interface Vocabulary {
  /** English words in lower case, and how often they occur. */
  words: ReadonlyMap<string, number>;
  /** Chinese words of two to four characters, simplified, by their sound without tones, the most frequent first. */
  bySound: ReadonlyMap<string, readonly string[]>;
  /** Chinese words of which every thousandth is one at least. */
  common: ReadonlySet<string>;
  /** Pairs of neighbouring Chinese characters that occur, simplified. */
  pairs: ReadonlySet<string>;
  /** Passages per language. */
  languages: Readonly<Record<Language, number>>;
}

/** Bounds on what is read and kept of a very large knowledge base. */
const MAX_WORDS = 50_000;
/** Words of kb.yaml are meant even where no passage has them. */
const LISTED = 10;

const COMMON = 0.001;

type Text = Pick<Passage, 'text' | 'title' | 'headings' | 'language'>;

/** Collects the words of passages and of kb.yaml. Pure; about 50 ms for 500 passages. */
export function collectVocabulary(
  passages: Iterable<Text>,
  { dictionary, synonyms }: { dictionary: readonly string[]; synonyms: readonly (readonly string[])[] },
): Vocabulary {
  const words = new Map<string, number>();
  const hanWords = new Map<string, number>();
  const pairs = new Set<string>();
  const languages: Record<Language, number> = { en: 0, zh: 0 };
  const { cutForSearch } = createJiebaSegmenter();
  const add = (text: string, weight: number): void => {
    const folded = foldToSimplified(text.normalize('NFKC').toLowerCase());
    for (const [word] of folded.matchAll(/(?<![\p{L}\p{N}])[a-z]{3,}(?![\p{L}\p{N}])/gu)) {
      count(words, word, weight);
    }
    for (const [run] of folded.matchAll(/\p{Script=Han}+/gu)) {
      for (let at = 1; at < run.length; at += 1) pairs.add(run.slice(at - 1, at + 1));
      const found = weight === LISTED ? [run, ...cutForSearch(run)] : cutForSearch(run);
      for (const word of found) if (word.length >= 2 && word.length <= 4) count(hanWords, word, weight);
    }
  };
  for (const passage of passages) {
    languages[passage.language] += 1;
    add(passageSearchText(passage), 1);
  }
  for (const listed of [...dictionary, ...synonyms.flat()]) add(listed, LISTED);
  return { words, bySound: sortBySound(hanWords), common: findCommon(hanWords), pairs, languages };
}

function count(counts: Map<string, number>, word: string, weight: number): void {
  const before = counts.get(word);
  if (before !== undefined || counts.size < MAX_WORDS) counts.set(word, (before ?? 0) + weight);
}

function findCommon(words: ReadonlyMap<string, number>): Set<string> {
  const total = [...words.values()].reduce((sum, times) => sum + times, 0);
  return new Set([...words].filter(([, times]) => times >= COMMON * total).map(([word]) => word));
}

function sortBySound(words: ReadonlyMap<string, number>): Map<string, string[]> {
  const bySound = new Map<string, string[]>();
  for (const [word] of [...words].sort((a, b) => b[1] - a[1])) {
    const sound = soundOf(word);
    const known = bySound.get(sound);
    if (known === undefined) bySound.set(sound, [word]);
    else known.push(word);
  }
  return bySound;
}
