import { randomFence } from '../answer/fence.js';
import { askForOneLine, type OneLineOptions } from '../answer/one-line-reply.js';
import type { Prompts } from '../answer/prompts.js';
import type { Language, Turn } from '../types.js';

/** A follow-up refers to what was said just before. */
const TURNS = 3;
const ANSWER_CHARACTERS = 400;

/** Lets the chat model write a follow-up out as a question of its own. Throws as `askForOneLine` does. */
export async function rewriteQuestion(
  question: string,
  language: Language,
  turns: readonly Turn[],
  { prompts, ...options }: OneLineOptions & { prompts: Prompts },
): Promise<string> {
  const hide = (text: string): string => options.mask?.hide(text) ?? text;
  const prompt = prompts.render('rewrite-question', language, {
    conversation: hide(turns.slice(-TURNS).map(writeTurn).join('\n')),
    question: hide(question),
    fence: randomFence(),
  });
  return askForOneLine(prompt, options);
}

function writeTurn({ question, answer }: Turn): string {
  return `? ${question}\n> ${answer.slice(0, ANSWER_CHARACTERS)}`;
}
