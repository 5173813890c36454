import type { ChatModel } from '../answer/chat-model.js';
import { randomFence } from '../answer/fence.js';
import { askForOneLine } from '../answer/one-line-reply.js';
import type { Prompts } from '../answer/prompts.js';
import type { Source } from '../frames.js';
import { createMask } from '../guard/mask.js';
import { detectLanguage } from '../language.js';
import type { Verdict } from './sentence-check.js';

export interface SentenceToJudge {
  sentence: string;
  /** What it cites; never empty. */
  cited: readonly Source[];
}

/**
 * Says whether the cited passages support a sentence; `weak` where that cannot be said. Throws what `ChatModel.stream`
 * throws, `model-failed` where the model says nothing.
 */
export type JudgeSentence = (
  toJudge: SentenceToJudge,
  options: { mask: boolean; signal: AbortSignal },
) => Promise<Verdict>;

const VERDICTS: Readonly<Record<string, Verdict>> = { SUPPORTED: 'supported', UNSUPPORTED: 'unsupported' };

/** Asks the chat model, in the language of the sentence. */
export function createSentenceJudge({
  chatModel,
  prompts,
}: {
  chatModel: ChatModel;
  prompts: Prompts;
}): JudgeSentence {
  return async ({ sentence, cited }, { mask: masks, signal }) => {
    const mask = masks ? createMask() : null;
    const hide = (text: string): string => mask?.hide(text) ?? text;
    const prompt = prompts.render('judge-sentence', detectLanguage(sentence), {
      passages: hide(cited.map(passageText).join('\n\n')),
      sentence: hide(sentence),
      fence: randomFence(),
    });
    const reply = await askForOneLine(prompt, { chatModel, mask, signal });
    const [word = ''] = /[A-Z]+/.exec(reply.toUpperCase()) ?? [];
    return VERDICTS[word] ?? 'weak';
  };
}

function passageText({ title, headings, text }: Source): string {
  return `${[title, ...headings].join(' › ')}\n${text}`;
}
