import type { Abstaining, AbstainRequest } from './answer/abstention.js';
import { answerLanguage, inScriptOf } from './answer/answer-language.js';
import type { Answerer } from './answer/answerer.js';
import { noteEvent } from './answer/note-event.js';
import { AppError, toAppError } from './errors.js';
import type { FrameBody, NoAnswerReason, Source, Usage } from './frames.js';
import type { Grounding, JudgedGrounding } from './ground/grounding.js';
import { applyGroundingPolicy } from './ground/grounding-policy.js';
import { judgeWeakSentences } from './ground/judge-weak-sentences.js';
import type { JudgeSentence } from './ground/sentence-judge.js';
import { type KnowledgeBase, localized } from './ingest/knowledge-base.js';
import type { CuratedHit, FindCurated } from './question/curated-answer.js';
import type { UnderstandQuestion } from './question/understand-question.js';
import { reasonAgainst } from './rerank/reason-against.js';
import type { RerankCandidates } from './rerank/rerank-candidates.js';
import type { RetrieveCandidates } from './retrieve/retrieve-candidates.js';
import type { Suspicion, Trace } from './store/trace-store.js';
import { timed } from './telemetry/timed.js';
import type { Candidate, JudgedCandidate, Question, Turn } from './types.js';

/** A question on its way in: validated, addressed, with its conversation. */
export interface Ask {
  conversationId: string;
  messageId: string;
  knowledgeBase: KnowledgeBase;
  text: string;
  images: readonly string[];
  turns: readonly Turn[];
  /** Whose conversation it is. */
  owner: string;
  /** It was answered before, and another answer is wanted. */
  isRegenerated?: boolean;
}

/** What the pipeline is made of; `app.ts` wires it. */
export interface Steps {
  understand: UnderstandQuestion;
  findCurated: FindCurated;
  retrieve: RetrieveCandidates;
  rerank: RerankCandidates;
  answerer: Answerer;
  ground: (sources: readonly Source[]) => Grounding;
  /** Null where there is no chat model to ask. */
  judge: JudgeSentence | null;
  /** What to say when there is no answer, in the question's language. */
  abstain: (request: AbstainRequest) => Abstaining;
  /** What the tokens cost, where prices are configured; asked once per answer. */
  costOf: (usage: Usage) => number | undefined;
  writeTrace: (trace: Trace) => Promise<void>;
  /** Where question and passages give orders to a language model: marked and counted, not forbidden. */
  inspect: (question: Question, sources: readonly Source[]) => Suspicion[];
  /** Which models are in use right now, for the trace. */
  engines: () => Pick<Trace, 'embedder' | 'reranker' | 'device'>;
}

/**
 * The whole way of a question. Yields frames up to exactly one `answer-completed`; whatever is thrown (AppError)
 * becomes `answer-failed` where frames are numbered. What the model saw, what is cited and what the trace shows are
 * the same passages: there is one retrieval per question.
 */
export async function* answerQuestion(
  ask: Ask,
  steps: Steps,
  { signal }: { signal: AbortSignal },
): AsyncGenerator<FrameBody> {
  const { knowledgeBase } = ask;
  const start = performance.now();
  const trace: Trace = emptyTrace(ask, steps);
  const { timings, degraded } = trace;
  /** Before the last frame goes out: whoever has that frame can ask for the trace. */
  const writeTrace = async (): Promise<void> => {
    if (timings.total !== undefined) return;
    timings.total = performance.now() - start;
    await steps.writeTrace(trace).catch(() => degraded.push('trace'));
  };
  const noAnswer = async function* (reason: NoAnswerReason, plain: Abstaining): AsyncGenerator<FrameBody> {
    const said = { ...plain, text: inScriptOf(ask.text, plain.text) };
    Object.assign(trace, { status: 'no-answer', reason });
    yield { type: 'text-delta', text: said.text };
    await writeTrace();
    yield {
      type: 'answer-completed',
      status: 'no-answer',
      reason,
      ...said,
      citations: [],
      timings,
      degraded,
    };
  };

  try {
    const understanding = await timed(timings, 'understand', () =>
      steps.understand({ text: ask.text, turns: ask.turns, knowledgeBase }, { signal }),
    );
    const { question, shortcut, isAngry } = understanding;
    // Its translation stands among the steps.
    const { translation: _, ...asked } = question;
    Object.assign(trace, { question: asked, understanding: understanding.steps });
    degraded.push(...understanding.degraded);
    yield {
      type: 'answer-started',
      question: asked,
      knowledgeBase: knowledgeBase.id,
      mode: steps.answerer.mode,
      ...readDisclaimer(knowledgeBase, question),
    };

    if (isAngry) yield { type: 'handoff-requested', reason: 'anger' };
    if (shortcut?.reason === 'handoff') yield { type: 'handoff-requested', reason: 'asked' };
    if (shortcut !== undefined) {
      yield* noAnswer(shortcut.reason === 'handoff' ? 'policy' : shortcut.reason, { text: shortcut.text });
      return;
    }
    if (ask.images.length > 0 && !steps.answerer.seesImages) {
      const reason = 'no-vision';
      yield* noAnswer(reason, steps.abstain({ reason, knowledgeBase, questionLanguage: question.language }));
      return;
    }

    const retrieval = await timed(timings, 'retrieve', () =>
      steps.retrieve(question, { knowledgeBase, signal }),
    ).catch(unavailableAsNull);
    if (retrieval === null) {
      degraded.push('retrieve');
      const reason = 'dependency-down';
      yield* noAnswer(reason, steps.abstain({ reason, knowledgeBase, questionLanguage: question.language }));
      return;
    }
    degraded.push(...retrieval.degraded);

    const curated = await timed(timings, 'faq', () =>
      steps.findCurated(question, retrieval.candidates, { knowledgeBase, signal }),
    );
    if (curated !== null) {
      trace.understanding.push({
        step: 'faq',
        before: question.standalone,
        after: curated.asked,
        ms: timings.faq ?? 0,
      });
      trace.candidates = putFirst(curated, retrieval.candidates);
      yield* giveCurated(trace.candidates);
      Object.assign(trace, { status: 'answered' });
      await writeTrace();
      yield { ...completeCurated(trace.candidates), timings, degraded };
      return;
    }

    const reranking = await timed(timings, 'rerank', () =>
      steps.rerank(question, retrieval.candidates, { knowledgeBase, signal }),
    );
    degraded.push(...reranking.degraded);
    const { candidates, threshold, answerability } = reranking;
    Object.assign(trace, { candidates, threshold, answerability });

    const sources = toSources(candidates);
    const reason = reasonAgainst(reranking);
    if (reason !== null) {
      yield* noAnswer(
        reason,
        steps.abstain({ reason, knowledgeBase, questionLanguage: question.language, candidates }),
      );
      return;
    }
    trace.suspicions = steps.inspect(question, sources);
    yield { type: 'sources-found', sources };

    const grounding = groundAnswer(sources, { knowledgeBase, steps, trace, signal });
    const answerStart = performance.now();
    const events = steps.answerer.answer(
      {
        messageId: ask.messageId,
        owner: ask.owner,
        question,
        sources,
        turns: ask.turns,
        knowledgeBase,
        images: ask.images,
        ...(ask.isRegenerated === true ? { isRegenerated: true } : {}),
      },
      { signal },
    );
    for await (const event of events) {
      if (event.type !== 'text') {
        noteEvent(trace, event, steps);
        continue;
      }
      timings.firstToken ??= performance.now() - answerStart;
      yield* grounding.push(event.text);
    }
    yield* grounding.finish();
    yield* await grounding.verdicts();
    if (grounding.text.trim() === '' && grounding.withheld > 0) {
      const reason = 'policy';
      yield* noAnswer(
        reason,
        steps.abstain({ reason, knowledgeBase, questionLanguage: question.language, candidates }),
      );
      return;
    }
    if (grounding.text.trim() === '') throw new AppError('model-failed', 'The language model said nothing.');

    timings.answer = performance.now() - answerStart;
    trace.status = 'answered';
    await writeTrace();
    yield {
      type: 'answer-completed',
      status: 'answered',
      text: grounding.text,
      citations: [...grounding.citations],
      ...(trace.usage === undefined ? {} : { usage: trace.usage }),
      ...(trace.cache === undefined ? {} : { cache: trace.cache }),
      ...(trace.cutOff === undefined ? {} : { cutOff: trace.cutOff }),
      timings,
      degraded,
    };
  } finally {
    await writeTrace();
  }
}

/** Follows the answer while it is written, as the knowledge base wants it; what the judge says stands in the trace. */
function groundAnswer(
  sources: readonly Source[],
  options: { knowledgeBase: KnowledgeBase; steps: Steps; trace: Trace; signal: AbortSignal },
): JudgedGrounding {
  const { knowledgeBase, steps, trace, signal } = options;
  const { grounding: policy, groundingJudge, mask } = knowledgeBase;
  const judged = judgeWeakSentences(steps.ground(sources), {
    // Under `show` nobody hears of verdicts.
    judge: groundingJudge === 'model' && policy !== 'show' ? steps.judge : null,
    sources,
    mask,
    onJudged: (judgement) => {
      trace.judgements = [...(trace.judgements ?? []), judgement];
    },
    onFailure: () => {
      if (!trace.degraded.includes('judge')) trace.degraded.push('judge');
    },
    signal,
  });
  return applyGroundingPolicy(judged, policy);
}

/** In the language of the answer, in every answer: whoever shows a conversation shows it once. */
function readDisclaimer(knowledgeBase: KnowledgeBase, { text, language }: Question): { disclaimer?: string } {
  const { disclaimer } = knowledgeBase;
  if (disclaimer === undefined) return {};
  return { disclaimer: inScriptOf(text, localized(disclaimer, answerLanguage(knowledgeBase, language))) };
}

/** The curated pair alone is kept: nothing else was read. */
function putFirst({ candidate }: CuratedHit, candidates: readonly Candidate[]): JudgedCandidate[] {
  const others = candidates.filter((other) => other !== candidate);
  return [
    { ...candidate, decision: 'kept' },
    ...others.map((other) => ({ ...other, decision: 'limit' as const })),
  ];
}

/** A curated answer as it stands, cited whole. */
function* giveCurated(candidates: readonly JudgedCandidate[]): Generator<FrameBody> {
  const { text, citations } = completeCurated(candidates);
  yield { type: 'sources-found', sources: toSources(candidates), curated: true };
  yield { type: 'text-delta', text };
  for (const citation of citations) yield { type: 'citation-added', ...citation };
}

function completeCurated(candidates: readonly JudgedCandidate[]) {
  const [{ n, passageId, text } = { n: 1, passageId: '', text: '' }] = toSources(candidates);
  const citations = [{ n, passageId, span: [0, text.length] as [number, number], quote: text }];
  return { type: 'answer-completed' as const, status: 'answered' as const, text, citations };
}

/** Numbers the kept candidates from 1, as the answer cites them. */
function toSources(candidates: readonly JudgedCandidate[]): Source[] {
  return candidates
    .filter(({ decision }) => decision === 'kept')
    .map(({ passage, scores }, index) => ({
      n: index + 1,
      passageId: passage.id,
      documentId: passage.documentId,
      title: passage.title,
      headings: passage.headings,
      ...(passage.url === undefined ? {} : { url: passage.url }),
      text: passage.text,
      scores,
    }));
}

/** A search engine that cannot be reached is an honest "I cannot look now"; everything else is a failure. */
function unavailableAsNull(thrown: unknown): null {
  const error = toAppError(thrown);
  if (error.code === 'unavailable') return null;
  throw error;
}

function emptyTrace(ask: Ask, steps: Steps): Trace {
  return {
    messageId: ask.messageId,
    conversationId: ask.conversationId,
    knowledgeBase: ask.knowledgeBase.id,
    question: { text: ask.text, standalone: ask.text, language: 'en' },
    understanding: [],
    mode: steps.answerer.mode,
    candidates: [],
    threshold: null,
    status: 'failed',
    timings: {},
    degraded: [],
    ...steps.engines(),
    at: new Date().toISOString(),
  };
}
