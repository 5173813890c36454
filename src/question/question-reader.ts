import { answerLanguage } from '../answer/answer-language.js';
import type { ChatModel } from '../answer/chat-model.js';
import type { Prompts } from '../answer/prompts.js';
import { AppError, toAppError } from '../errors.js';
import { createMask, type Mask } from '../guard/mask.js';
import { type KnowledgeBase, localized } from '../ingest/knowledge-base.js';
import { detectLanguage } from '../language.js';
import type { Logger } from '../telemetry/logger.js';
import type { Language, Turn } from '../types.js';
import { saysOneOf } from './find-phrases.js';
import { writeOutFollowUp } from './follow-up.js';
import { normalizeQuestion } from './normalize-question.js';
import { rewriteQuestion } from './rewrite-question.js';
import type { Understanding, UnderstandQuestion } from './understand-question.js';

/** Longer than this nobody waits for the search to begin. */
const REWRITE_MS = 6_000;

export interface QuestionReaderOptions {
  /** Null: follow-ups are written out by rule. */
  chatModel: ChatModel | null;
  prompts: Prompts;
  logger: Logger;
  /** How long the chat model may take over a follow-up, in milliseconds. */
  rewriteMs?: number;
}

/** Reads a question: what it says, in which language, what it refers back to, and whether it must be answered at once. */
export function createQuestionReader(options: QuestionReaderOptions): UnderstandQuestion {
  return async ({ text: raw, turns, knowledgeBase }, { signal }) => {
    if (signal.aborted) throw new AppError('stopped');
    const text = normalizeQuestion(raw);
    const language = detectLanguage(text);
    const shortcut = findShortcut(text, knowledgeBase, answerLanguage(knowledgeBase, language));
    if (shortcut !== undefined) {
      return { question: { text, standalone: text, language }, shortcut, degraded: [] };
    }
    const { standalone, degraded } = await writeOut(text, language, turns, {
      ...options,
      mask: knowledgeBase.mask ? createMask() : null,
      signal,
    });
    return { question: { text, standalone, language }, degraded };
  };
}

/** Red flags come before everything else. */
function findShortcut(
  text: string,
  { triage, handoff }: KnowledgeBase,
  language: Language,
): Understanding['shortcut'] {
  const redFlag = triage.find(({ phrases }) => saysOneOf(text, phrases));
  if (redFlag !== undefined) return { reason: 'triage', text: localized(redFlag.answer, language) };
  if (handoff !== undefined && saysOneOf(text, handoff.phrases)) {
    return { reason: 'handoff', text: localized(handoff.message, language) };
  }
  return undefined;
}

/** With the chat model where there is one; where that fails, or there is none, by rule. */
async function writeOut(
  text: string,
  language: Language,
  turns: readonly Turn[],
  {
    chatModel,
    prompts,
    logger,
    rewriteMs = REWRITE_MS,
    mask,
    signal,
  }: QuestionReaderOptions & { mask: Mask | null; signal: AbortSignal },
): Promise<{ standalone: string; degraded: string[] }> {
  const previous = turns.at(-1);
  if (previous === undefined) return { standalone: text, degraded: [] };
  const byRule = writeOutFollowUp(text, previous.standalone);
  if (chatModel === null) return { standalone: byRule, degraded: [] };
  try {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(rewriteMs)]);
    const standalone = await rewriteQuestion(text, language, turns, {
      chatModel,
      prompts,
      mask,
      signal: limited,
    });
    return { standalone, degraded: [] };
  } catch (thrown) {
    if (signal.aborted) throw new AppError('stopped', undefined, { cause: thrown });
    logger.warn('A follow-up was written out by rule, as the chat model failed', {
      code: toAppError(thrown).code,
    });
    return { standalone: byRule, degraded: ['rewrite'] };
  }
}
