import type { Source } from '../frames.js';
import type { Suspicion } from '../store/trace-store.js';
import type { Question } from '../types.js';
import { findInstructions } from './find-instructions.js';

/** Where the question and the passages give orders to a language model. */
export function findSuspicions({ text }: Question, sources: readonly Source[]): Suspicion[] {
  const asked: Suspicion = { where: 'question', signs: findInstructions(text) };
  const read = sources.map(
    ({ passageId, title, headings, text: words }): Suspicion => ({
      where: 'passage',
      passageId,
      signs: findInstructions([title, ...headings, words].join('\n')),
    }),
  );
  return [asked, ...read].filter(({ signs }) => signs.length > 0);
}
