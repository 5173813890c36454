import { Jieba } from '@node-rs/jieba';
import { dict } from '@node-rs/jieba/dict.js';

export interface Segmenter {
  /** Cuts a run of Han text into words; joined again they are the text. */
  cut(text: string): string[];
  /** The same, and after each long word the shorter dictionary words inside it. */
  cutForSearch(text: string): string[];
  /** Words with their part of speech, those unknown to the dictionary guessed: for telling names, not for an index. */
  tag(text: string): { word: string; tag: string }[];
}

let shared: Jieba | undefined;

/**
 * Jieba with its own dictionary. One instance serves the whole process: it takes about 250 ms and 35 MB to load, so
 * words of a knowledge base are laid over its result (`phrase-matcher.ts`) instead of being loaded into a copy.
 * The hidden Markov model for unknown words is off: its guesses change with the neighbouring characters, and what is
 * cut one way in a passage and another way in a question is not found.
 */
export function createJiebaSegmenter(): Segmenter {
  shared ??= Jieba.withDict(dict);
  const jieba = shared;
  return {
    cut: (text) => jieba.cut(text, false),
    cutForSearch: (text) => jieba.cutForSearch(text, false),
    tag: (text) => jieba.tag(text, true),
  };
}
