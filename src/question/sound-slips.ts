import { createJiebaSegmenter } from '../retrieve/jieba-segmenter.js';
import { foldToSimplified } from '../retrieve/opencc-folding.js';
import { STOP_WORDS } from '../retrieve/stop-words.js';
import { isEnglishWord } from './english-words.js';
import { soundOf } from './pinyin-pro-sounds.js';
import type { Vocabulary } from './vocabulary.js';

/** Characters that stand by themselves in any sentence: two of them side by side are no word gone wrong. */
const GRAMMAR = new Set(
  '的一不也了在有个上下来去到说好那要就可会着没看自这用做吃买点后前多少几天月年元时大小没还能为以从把被给和与或',
);
const LONGEST = 4;
const PINYIN_WORD = /(?<![\p{L}\p{N}])[a-z]{4,}(?![\p{L}\p{N}])/gu;

/**
 * Puts Chinese slips right that sound like a word of the knowledge base: 推货 → 退货, and pinyin left unconverted:
 * tuihuo → 退货. Only characters that the segmenter could make no word of are looked at, and a pair that the knowledge
 * base has is left alone. Sounds are compared without tones.
 */
export function correctSounds(
  text: string,
  vocabulary: Pick<Vocabulary, 'bySound' | 'common' | 'pairs' | 'words'>,
): string {
  const converted = /\p{Script=Han}/u.test(text) ? convertPinyin(text, vocabulary) : text;
  const folded = foldToSimplified(converted);
  if (folded.length !== converted.length) return converted;
  const characters = [...converted].length === converted.length ? converted.split('') : [];
  for (const { start, length } of findLooseRuns(folded)) {
    for (let at = start; at < start + length - 1; at += 1) {
      const slip = findSlip(folded.slice(at, Math.min(start + length, at + LONGEST)), vocabulary);
      if (slip === undefined || characters.length === 0) continue;
      for (const [index, character] of slip.split('').entries()) characters[at + index] = character;
      at += slip.length - 1;
    }
  }
  return characters.length === 0 ? converted : characters.join('');
}

/** Runs of single characters that are no word together and carry no grammar. */
function findLooseRuns(folded: string): { start: number; length: number }[] {
  const runs: { start: number; length: number }[] = [];
  const segmenter = createJiebaSegmenter();
  for (const { index, 0: han } of folded.matchAll(/\p{Script=Han}+/gu)) {
    let at = index;
    for (const word of segmenter.cut(han)) {
      const last = runs.at(-1);
      const isLoose = word.length === 1 && !GRAMMAR.has(word) && !STOP_WORDS.has(word);
      if (isLoose && last !== undefined && last.start + last.length === at) last.length += 1;
      else if (isLoose) runs.push({ start: at, length: 1 });
      at += word.length;
    }
  }
  return runs.filter(({ length }) => length > 1);
}

/** The longest word of the knowledge base that sounds like the beginning of the run. */
function findSlip(
  run: string,
  { bySound, common, pairs }: Pick<Vocabulary, 'bySound' | 'common' | 'pairs'>,
): string | undefined {
  for (let length = run.length; length >= 2; length -= 1) {
    const written = run.slice(0, length);
    if (pairs.has(written.slice(0, 2))) return undefined;
    const meant = (bySound.get(soundOf(written)) ?? []).find((word) => isLikely(written, word, common));
    if (meant !== undefined) return meant;
  }
  return undefined;
}

/** Two characters sound like many others: without one in common only a word that is often meant (辅食 is not 复视). */
function isLikely(written: string, meant: string, common: Vocabulary['common']): boolean {
  if (written.length !== meant.length) return false;
  return written.length > 2 || written[0] === meant[0] || written[1] === meant[1] || common.has(meant);
}

function convertPinyin(text: string, { bySound, words }: Pick<Vocabulary, 'bySound' | 'words'>): string {
  return text.replaceAll(PINYIN_WORD, (written) => {
    if (words.has(written) || isEnglishWord(written)) return written;
    for (const [sound, [word]] of bySound) {
      if (sound.replaceAll(' ', '') === written && word !== undefined) return word;
    }
    return written;
  });
}
