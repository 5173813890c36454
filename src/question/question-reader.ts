import { answerLanguage } from '../answer/answer-language.js';
import type { ChatModel } from '../answer/chat-model.js';
import type { Prompts } from '../answer/prompts.js';
import { AppError, toAppError } from '../errors.js';
import { createMask, type Mask } from '../guard/mask.js';
import type { KnowledgeBase } from '../ingest/knowledge-base.js';
import { detectLanguage } from '../language.js';
import type { Analyzer } from '../retrieve/analyzer.js';
import type { Logger } from '../telemetry/logger.js';
import type { Language, Question, Turn } from '../types.js';
import { findOpenSlot, joinReply } from './clarify.js';
import { writeOutFollowUp } from './follow-up.js';
import type { VocabularyOf } from './index-vocabulary.js';
import { normalizeQuestion } from './normalize-question.js';
import { rewriteQuestion } from './rewrite-question.js';
import { type FoundShortcut, findHandoff, findRedFlag, isAngry } from './shortcuts.js';
import { correctSounds } from './sound-slips.js';
import { correctSpelling } from './spelling-slips.js';
import { createStepLog } from './step-log.js';
import { createTranslateQuestion, languageToSearch } from './translate-question.js';
import type { Understanding, UnderstandQuestion } from './understand-question.js';
import type { Vocabulary } from './vocabulary.js';

/** Longer than this nobody waits for the search to begin. */
const REWRITE_MS = 6_000;
const TRANSLATE_MS = 4_000;

export interface QuestionReaderOptions {
  /** Null: follow-ups are written out by rule. */
  chatModel: ChatModel | null;
  prompts: Prompts;
  logger: Logger;
  vocabularyOf: VocabularyOf;
  analyzer: Pick<Analyzer, 'analyzeQuestion'>;
  /** How long the chat model may take over a follow-up, in milliseconds. */
  rewriteMs?: number;
  /** And over a translation. */
  translateMs?: number;
}

/**
 * Reads a question: what it says, in which language, what it refers back to, and whether it must be answered at once.
 * Each step that the knowledge base leaves switched on stands in the result with what it made of the question.
 */
export function createQuestionReader(options: QuestionReaderOptions): UnderstandQuestion {
  const { vocabularyOf, analyzer, logger, chatModel, prompts, translateMs = TRANSLATE_MS } = options;
  const translateQuestion = createTranslateQuestion(prompts);

  const readVocabulary = async (knowledgeBase: KnowledgeBase): Promise<Vocabulary | null> => {
    const { spelling, pinyin, translation } = knowledgeBase.understanding;
    if (!spelling && !pinyin && (!translation || chatModel === null)) return null;
    try {
      return await vocabularyOf(knowledgeBase);
    } catch (thrown) {
      logger.warn('The words of the knowledge base could not be read; slips are not put right', {
        code: toAppError(thrown).code,
      });
      return null;
    }
  };

  /** Null where the model has nothing to say; throws only when the signal aborts. */
  const translate = async (
    text: string,
    into: Language,
    { model, mask, signal }: { model: ChatModel; mask: Mask | null; signal: AbortSignal },
  ): Promise<{ text: string | null; degraded: string[] }> => {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(translateMs)]);
    try {
      const translated = await translateQuestion(text, into, { chatModel: model, mask, signal: limited });
      return { text: translated, degraded: [] };
    } catch (thrown) {
      if (signal.aborted) throw new AppError('stopped', undefined, { cause: thrown });
      logger.warn('A question was searched in its own language only, as the chat model failed', {
        code: toAppError(thrown).code,
      });
      return { text: null, degraded: ['translation'] };
    }
  };

  return async ({ text: raw, turns, knowledgeBase }, { signal }) => {
    if (signal.aborted) throw new AppError('stopped');
    const on = knowledgeBase.understanding;
    const { steps, run } = createStepLog();
    const text = on.normalization
      ? await run('normalization', raw, () => normalizeQuestion(raw))
      : raw.trim();
    const language = detectLanguage(text);
    const spoken = answerLanguage(knowledgeBase, language);

    /** Red flags come before everything else, and again where a slip may have hidden one. */
    const findShortcut = async (written: string): Promise<FoundShortcut | undefined> => {
      const describe = (found: FoundShortcut | undefined): string => found?.found ?? written;
      const redFlag = on.triage
        ? await run('triage', written, () => findRedFlag(written, knowledgeBase, spoken), describe)
        : undefined;
      if (redFlag !== undefined || !on.handoff || knowledgeBase.handoff === undefined) return redFlag;
      return run('handoff', written, () => findHandoff(written, knowledgeBase, spoken), describe);
    };
    const answerAtOnce = ({ shortcut }: FoundShortcut): Understanding => ({
      question: { text, standalone: text, language },
      shortcut,
      isAngry: isUpset,
      steps,
      degraded: [],
    });

    const isUpset =
      on.handoff && knowledgeBase.handoff !== undefined
        ? await run(
            'anger',
            text,
            () => isAngry(text, knowledgeBase),
            (angry) => (angry ? 'angry' : text),
          )
        : false;
    const atOnce = await findShortcut(text);
    if (atOnce !== undefined) return answerAtOnce(atOnce);

    const vocabulary = await readVocabulary(knowledgeBase);
    let meant = text;
    if (vocabulary !== null && on.spelling) {
      meant = await run('spelling', meant, () => correctSpelling(meant, vocabulary));
    }
    if (vocabulary !== null && on.pinyin) {
      meant = await run('pinyin', meant, () => correctSounds(meant, vocabulary));
    }
    const hidden = meant === text ? undefined : await findShortcut(meant);
    if (hidden !== undefined) return answerAtOnce(hidden);

    const reply = joinReply(meant, turns);
    const { standalone, degraded } =
      on.followUps && reply === undefined
        ? await run(
            'follow-up',
            meant,
            () =>
              writeOut(meant, language, turns, {
                ...options,
                mask: knowledgeBase.mask ? createMask() : null,
                signal,
              }),
            (written) => written.standalone,
          )
        : { standalone: reply ?? meant, degraded: [] };
    const question: Question = { text, standalone, language };
    if (on.clarification && knowledgeBase.clarify.length > 0) {
      const slot = await run(
        'clarification',
        standalone,
        () => findOpenSlot(standalone, reply === undefined ? [] : turns, knowledgeBase, spoken),
        (open) => open?.id ?? standalone,
      );
      const shortcut = slot && { reason: 'clarification' as const, text: slot.ask };
      if (shortcut !== undefined) return { question, shortcut, isAngry: isUpset, steps, degraded };
    }
    const into = languageToSearch(language, knowledgeBase, vocabulary?.languages ?? null);
    if (on.translation && chatModel !== null && into !== null) {
      const mask = knowledgeBase.mask ? createMask() : null;
      const translated = await run(
        'translation',
        standalone,
        () => translate(standalone, into, { model: chatModel, mask, signal }),
        ({ text: found }) => found ?? standalone,
      );
      degraded.push(...translated.degraded);
      if (translated.text !== null) {
        Object.assign(question, { translation: { text: translated.text, language: into } });
      }
    }
    if (on.lexicon) {
      await run('lexicon', standalone, () => findListedTerms(standalone, knowledgeBase, analyzer));
    }
    return { question, isAngry: isUpset, steps, degraded };
  };
}

/** What dictionary and synonyms of kb.yaml add to the terms of a question, for the trace. */
function findListedTerms(
  text: string,
  lexicon: Pick<KnowledgeBase, 'dictionary' | 'synonyms'>,
  analyzer: Pick<Analyzer, 'analyzeQuestion'>,
): string {
  const plain = new Set(analyzer.analyzeQuestion(text, { dictionary: [], synonyms: [] }));
  const added = analyzer.analyzeQuestion(text, lexicon).filter((term) => !plain.has(term));
  return added.length === 0 ? text : added.join(' ');
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
