import { randomBytes } from 'node:crypto';
import type { ChatModel } from '../answer/chat-model.js';
import type { Prompts } from '../answer/prompts.js';
import { AppError } from '../errors.js';
import type { Mask } from '../guard/mask.js';
import type { Language, Turn } from '../types.js';
import { normalizeQuestion } from './normalize-question.js';

/** A follow-up refers to what was said just before. */
const TURNS = 3;
const ANSWER_CHARACTERS = 400;
/** A rewritten question is about as long as the question and what it refers to. */
const LONGEST_REWRITING = 600;

export interface RewriteOptions {
  chatModel: ChatModel;
  prompts: Prompts;
  /** Null: the model may see personal data. */
  mask: Mask | null;
  signal: AbortSignal;
}

/**
 * Lets the chat model write a follow-up out as a question of its own.
 *
 * @throws what `ChatModel.stream` throws; `model-failed` where its reply is no question
 */
export async function rewriteQuestion(
  question: string,
  language: Language,
  turns: readonly Turn[],
  { chatModel, prompts, mask, signal }: RewriteOptions,
): Promise<string> {
  const hide = (text: string): string => mask?.hide(text) ?? text;
  const content = prompts.render('rewrite-question', language, {
    conversation: hide(turns.slice(-TURNS).map(writeTurn).join('\n')),
    question: hide(question),
    fence: randomBytes(12).toString('hex'),
  });
  let reply = '';
  for await (const event of chatModel.stream([{ role: 'user', content }], { signal })) {
    if (event.type === 'text') reply += event.text;
    if (reply.length > LONGEST_REWRITING) break;
  }
  const rewritten = readReply(mask === null ? reply : mask.restore(reply) + mask.rest());
  if (rewritten === '' || reply.length > LONGEST_REWRITING) {
    throw new AppError('model-failed', 'The language model did not rewrite the question.');
  }
  return rewritten;
}

function writeTurn({ question, answer }: Turn): string {
  return `? ${question}\n> ${answer.slice(0, ANSWER_CHARACTERS)}`;
}

/** One line, without the quotation marks that models like to add. */
function readReply(reply: string): string {
  const [line = ''] = normalizeQuestion(reply).split('\n');
  return /^["“「『'].*["”」』']$/.test(line) ? line.slice(1, -1).trim() : line;
}
