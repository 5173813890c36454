import { createJiebaSegmenter } from '../retrieve/jieba-segmenter.js';
import { foldToSimplified } from '../retrieve/opencc-folding.js';

/** A word of a sentence in its place; punctuation is left out. */
export interface Word {
  text: string;
  /** What is compared: folded to simplified characters and lower case. */
  key: string;
  /** A person, place, organisation, brand, or a word no dictionary knows. */
  isName: boolean;
  /** Stands for something named elsewhere, or for nothing: he, this, 其. */
  isPronoun: boolean;
}

/** Parts of speech of names in jieba's dictionary; `x` is what it does not know. */
const NAME_TAG = /^(?:nr|ns|nt|nz|x$)/;
const PIECE =
  /\p{Script=Han}+|(?:(?!\p{Script=Han})[\p{L}\p{N}\p{M}])+(?:['’.-](?:(?!\p{Script=Han})[\p{L}\p{N}])+)*/gu;
const PRONOUNS = new Set(
  '他 她 它 他们 她们 它们 其 该 此 这 那 这个 那个 本 自己 前者 后者 两者 我国 当地 同年 the a an he she it they them his her its their this that these those who which there here'.split(
    ' ',
  ),
);

const segmenter = createJiebaSegmenter();

/** Words with what tells names: part of speech in Chinese, a capital inside the sentence in English. */
export function readWords(sentence: string): Word[] {
  const text = foldToSimplified(sentence.normalize('NFKC'));
  return Array.from(text.matchAll(PIECE)).flatMap(({ 0: piece, index }) => {
    if (!/\p{Script=Han}/u.test(piece)) return [word(piece, /^\p{Lu}/u.test(piece) && index > 0)];
    const words = segmenter.tag(piece);
    return words.map(({ word: part, tag }, place) => {
      // 培顿·曼宁: whatever stands beside the dot is a part of a name.
      const isBesideDot =
        (place === 0 && isDot(text, index - 1)) ||
        (place === words.length - 1 && isDot(text, index + piece.length));
      return word(part, isBesideDot || (part.length > 1 && NAME_TAG.test(tag)));
    });
  });
}

function isDot(text: string, at: number): boolean {
  return /^[·・•‧]$/.test(text.charAt(at));
}

function word(text: string, isName: boolean): Word {
  const key = text.toLowerCase().replace(/['’]s$/, '');
  return { text, key, isName, isPronoun: PRONOUNS.has(key) };
}
