import { AppError } from '../errors.js';
import type { Mask } from '../guard/mask.js';
import { normalizeQuestion } from '../question/normalize-question.js';
import type { ChatModel } from './chat-model.js';

/** A question in other words is about as long as the question and what it refers to; a verdict is a word. */
const LONGEST_REPLY = 600;

export interface OneLineOptions {
  chatModel: ChatModel;
  /** What hid personal data in the prompt puts it back here. Null: the model may see it. */
  mask: Mask | null;
  signal: AbortSignal;
}

/**
 * Asks the chat model for a single line, without the quotation marks that models like to add.
 *
 * @throws what `ChatModel.stream` throws; `model-failed` where nothing comes, or no end
 */
export async function askForOneLine(
  prompt: string,
  { chatModel, mask, signal }: OneLineOptions,
): Promise<string> {
  let reply = '';
  for await (const event of chatModel.stream([{ role: 'user', content: prompt }], { signal })) {
    if (event.type === 'text') reply += event.text;
    if (reply.length > LONGEST_REPLY) break;
  }
  const [line = ''] = normalizeQuestion(mask === null ? reply : mask.restore(reply) + mask.rest()).split(
    '\n',
  );
  const plain = /^["“「『'].*["”」』']$/.test(line) ? line.slice(1, -1).trim() : line;
  if (plain === '' || reply.length > LONGEST_REPLY) {
    throw new AppError('model-failed', 'The language model did not say it in one line.');
  }
  return plain;
}
