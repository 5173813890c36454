import { AppError } from '../errors.js';
import { detectLanguage } from '../language.js';
import type { Analyzer } from '../retrieve/analyzer.js';
import type { Language } from '../types.js';
import { answerLanguage, inScriptOf } from './answer-language.js';
import type { AnswerEvent, Answerer } from './answerer.js';
import { askedQuestion, chooseQuotes, type QuotedSource } from './choose-quotes.js';
import type { QuotablePiece } from './quotable-pieces.js';

export interface ExtractiveAnswererOptions {
  analyzer: Pick<Analyzer, 'analyze' | 'analyzeQuestion'>;
}

/** The only words of an answer that are not quoted. They end with a colon: nobody takes them for a statement. */
const LEAD_INS: Record<
  Language,
  {
    first: (title: string) => string;
    /** Of a curated pair that answers a similar question. */
    asked: (question: string) => string;
    further: (title: string) => string;
    otherLanguage: string;
  }
> = {
  en: {
    first: (title) => `Here is what “${title}” says:`,
    asked: (question) => `On “${question}” it says:`,
    further: (title) => `“${title}” adds:`,
    otherLanguage: 'I found this in Chinese only, and quote it as it stands:',
  },
  zh: {
    first: (title) => `《${title}》里是这样写的：`,
    asked: (question) => `关于“${question}”，资料里是这样写的：`,
    further: (title) => `《${title}》还提到：`,
    otherLanguage: '我只找到英文资料，原文如下：',
  },
};

/** Answers by quoting: no language model, no network, and nothing in the answer that no passage says. */
export function createExtractiveAnswerer({ analyzer }: ExtractiveAnswererOptions): Answerer {
  return {
    mode: 'extractive',
    seesImages: false,
    async *answer(request, { signal }) {
      const { dictionary, synonyms } = request.knowledgeBase;
      const language = answerLanguage(request.knowledgeBase, request.question.language);
      const readable = request.sources.filter(({ text }) => detectLanguage(text) === language);
      const quotes = chooseQuotes(request.question, readable.length > 0 ? readable : request.sources, {
        analyzer,
        lexicon: { dictionary, synonyms },
      });
      const opening = readable.length === 0 ? [LEAD_INS[language].otherLanguage] : [];
      const say = (leadIn: string): string => inScriptOf(request.question.text, leadIn);
      for (const text of write(quotes, opening, { language, say })) {
        if (signal.aborted) throw new AppError('stopped');
        yield { type: 'text', text } satisfies AnswerEvent;
      }
    },
  };
}

/** Lead-ins and pieces in order, each with what separates it from the one before. */
function* write(
  quotes: readonly QuotedSource[],
  opening: readonly string[],
  { language, say }: { language: Language; say: (leadIn: string) => string },
): Generator<string> {
  let isFirst = true;
  for (const leadIn of opening) {
    yield `${isFirst ? '' : '\n\n'}${say(leadIn)}`;
    isFirst = false;
  }
  for (const [place, { source, pieces, isWhole }] of quotes.entries()) {
    const isSameDocument =
      quotes[place - 1]?.source.title === source.title && askedQuestion(source) === undefined;
    if (!isWhole && !isSameDocument && (place > 0 || opening.length === 0)) {
      const asked = askedQuestion(source);
      const leadIn =
        asked === undefined
          ? LEAD_INS[language][place === 0 ? 'first' : 'further'](source.title)
          : LEAD_INS[language].asked(asked);
      yield `${isFirst ? '' : '\n\n'}${leadIn}`;
      isFirst = false;
    }
    let before: QuotablePiece | undefined;
    for (const piece of pieces) {
      yield `${isFirst ? '' : separate(before, piece)}${layOut(piece)}[${source.n}]`;
      before = piece;
      isFirst = false;
    }
  }
}

function separate(before: QuotablePiece | undefined, piece: QuotablePiece): string {
  if (before === undefined) return '\n\n';
  if (before.kind !== 'sentence' && piece.kind !== 'sentence') return '\n';
  if (before.block !== piece.block) return '\n\n';
  return /[。！？；”」』）]$/.test(before.text) ? '' : ' ';
}

/** A `[3]` in a passage is a footnote of its own, not a citation of ours. */
const FOOTNOTE = /[[【［](\^?[\d０-９][\d０-９,，、 –-]*)[\]】］]/g;

function layOut({ kind, number, text }: QuotablePiece): string {
  const quoted = text.replaceAll(FOOTNOTE, '($1)');
  if (kind === 'sentence') return quoted;
  return `${number === undefined ? '-' : `${number}.`} ${quoted}`;
}
