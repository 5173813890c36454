import { createRequire } from 'node:module';

let words: ReadonlySet<string> | undefined;

/** Whether a lower-case word stands in a general list of 275,000 English words. The list is read at first use. */
export function isEnglishWord(word: string): boolean {
  words ??= new Set(createRequire(import.meta.url)('an-array-of-english-words') as string[]);
  return words.has(word);
}
