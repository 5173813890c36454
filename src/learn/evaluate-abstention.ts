import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../errors.js';
import { detectLanguage } from '../language.js';
import { judgeAnswerability, readSignals } from '../rerank/answerability.js';
import { reasonAgainst } from '../rerank/reason-against.js';
import type { Reranking } from '../rerank/rerank-candidates.js';
import type { Reranker } from '../rerank/reranker.js';
import { selectPassages } from '../rerank/select-passages.js';
import { thresholdFor } from '../rerank/threshold.js';
import type { Candidate } from '../types.js';
import type { AnswerEvaluationOptions, Measure } from './answer-evaluation.js';
import { askTwice } from './ask-twice.js';
import { areaUnderRoc } from './auroc.js';
import { readBeirDataset, readJsonLines } from './beir-dataset.js';
import { bootstrapMean } from './bootstrap.js';
import { cutForPrecision } from './calibration.js';
import { indexDataset, PLAIN_LEXICON } from './index-dataset.js';
import { spread } from './spread.js';

/** A question that was asked, and what the pipeline would have made of it. */
interface Asked {
  group: string;
  /** Whether the knowledge base answers it. */
  answerable: boolean;
  /** Whether any passage is kept: without one there is no answer at any cut. */
  kept: boolean;
  answered: boolean;
  /** One of the passages that are handed on, where it is answered, answers it. */
  right: boolean;
  /** What is compared with the cut: the probability of an answer, the best sigmoid where none is computed. */
  score: number;
  sigmoid: number;
  /** A stage was missing or late: what is measured then is not what the models can do. */
  degraded: boolean;
}

/** `demo-questions.jsonl`: the knowledge base says it, in these documents. */
const demoQuestionSchema = z.object({
  knowledgeBase: z.string(),
  question: z.string(),
  document: z.array(z.string()).optional(),
});
const questionSchema = z.object({ text: z.string() });

/**
 * Asks questions that have an answer and questions that have none, and looks at which are answered. A labelled set is
 * asked with the documents that answer a question in the index, and without them. A folder with
 * `demo-questions.jsonl` and `demo-unanswerable.jsonl` is asked against the knowledge folder; so is one with nothing but
 * `questions.jsonl`, which no knowledge base answers, in turn. No answer is written: abstaining comes before.
 */
export async function evaluateAbstention(options: AnswerEvaluationOptions): Promise<Measure[]> {
  const { reranker } = options;
  if (reranker === null) throw new AppError('unavailable', 'Without a reranker nothing is refused.');
  const asked: Asked[] = [];
  for (const dir of options.sets) {
    asked.push(
      ...(existsSync(join(dir, 'corpus.jsonl'))
        ? await askSet(dir, reranker, options)
        : await askKnowledge(dir, options)),
    );
  }
  const knowledge = asked.filter(({ group }) => group.startsWith(KNOWLEDGE));
  const groups = [...new Set(asked.map(({ group }) => group))];
  return [
    ...groups.flatMap((group) =>
      summarize(
        group,
        asked.filter((one) => one.group === group),
      ),
    ),
    ...(new Set(knowledge.map(({ group }) => group)).size > 1 ? summarize(KNOWLEDGE, knowledge) : []),
    ...summarize('all', asked),
  ];
}

const KNOWLEDGE = 'knowledge';

async function askSet(
  dir: string,
  reranker: Reranker,
  { index, embedder, analyzer, limit, onProgress, signal }: AnswerEvaluationOptions,
): Promise<Asked[]> {
  const dataset = await readBeirDataset(dir);
  const group = basename(dir);
  const parts = { index, embedder, analyzer, reranker, knowledgeBase: `set-${group}`, signal };
  await indexDataset(dataset.documents, parts);
  const queries = spread(dataset.queries, limit ?? dataset.queries.length);
  const asked: Asked[] = [];
  for (const [done, query] of queries.entries()) {
    const judged = dataset.judgements.get(query.id) ?? new Map<string, number>();
    const { terms, answerable, unanswerable, isRelevant } = await askTwice(query, judged, parts);
    const language = detectLanguage(query.text);
    const judge = (candidates: readonly Candidate[]): Reranking => {
      const threshold = thresholdFor(language, reranker.threshold);
      const signals = readSignals(terms, candidates, (text) => analyzer.analyze(text, PLAIN_LEXICON));
      const model = reranker.answerability?.[language];
      return {
        candidates: selectPassages(candidates, { threshold }),
        threshold,
        ...(signals === null || model === undefined
          ? {}
          : { answerability: judgeAnswerability(model, signals) }),
        degraded: [],
      };
    };
    asked.push(
      look(judge(answerable), { group, answerable: true, isRight: isRelevant }),
      look(judge(unanswerable), { group, answerable: false, isRight: isRelevant }),
    );
    onProgress?.({ done: done + 1, total: queries.length });
  }
  return asked;
}

async function askKnowledge(dir: string, options: AnswerEvaluationOptions): Promise<Asked[]> {
  const { steps, knowledgeBases, indexKnowledge, limit, onProgress, signal } = options;
  await indexKnowledge();
  const ids = knowledgeBases.list().map(({ id }) => id);
  const read = async (file: string) =>
    existsSync(join(dir, file)) ? readJsonLines(join(dir, file), demoQuestionSchema) : [];
  const nobody = existsSync(join(dir, 'questions.jsonl'))
    ? await readJsonLines(join(dir, 'questions.jsonl'), questionSchema)
    : [];
  const withAnswer = (await read('demo-questions.jsonl')).map((one) => ({ ...one, answerable: true }));
  const without = [
    ...(await read('demo-unanswerable.jsonl')),
    ...nobody.map(({ text }, at) => ({ question: text, knowledgeBase: ids[at % ids.length] ?? '' })),
  ].map((one) => ({ ...one, document: [], answerable: false }));
  if (withAnswer.length + without.length === 0) {
    throw new AppError('not-found', `There are no questions in ${dir}.`);
  }
  const questions = [withAnswer, without].flatMap((some) => spread(some, limit ?? some.length));
  const asked: Asked[] = [];
  for (const { question: text, knowledgeBase: id, document, answerable } of questions) {
    const knowledgeBase = knowledgeBases.get(id);
    if (knowledgeBase === undefined) throw new AppError('not-found', `There is no knowledge base "${id}".`);
    const { question } = await steps.understand({ text, turns: [], knowledgeBase }, { signal });
    const { candidates, degraded } = await steps.retrieve(question, { knowledgeBase, signal });
    const reranking = await steps.rerank(question, candidates, { knowledgeBase, signal });
    asked.push(
      look(
        { ...reranking, degraded: [...degraded, ...reranking.degraded] },
        {
          group: `${KNOWLEDGE} ${basename(dir)}`,
          answerable,
          isRight: ({ passage }) => document?.includes(passage.documentId) ?? answerable,
        },
      ),
    );
    onProgress?.({ done: asked.length, total: questions.length });
  }
  return asked;
}

function look(
  reranking: Reranking,
  {
    group,
    answerable,
    isRight,
  }: { group: string; answerable: boolean; isRight: (candidate: Candidate) => boolean },
): Asked {
  const { candidates, answerability, degraded } = reranking;
  const kept = candidates.filter(({ decision }) => decision === 'kept');
  const sigmoid = Math.max(0, ...candidates.map(({ scores }) => scores.rerank?.sigmoid ?? 0));
  return {
    group,
    answerable,
    kept: kept.length > 0,
    answered: reasonAgainst(reranking) === null,
    right: kept.some(isRight),
    score: answerability?.probability ?? sigmoid,
    sigmoid,
    degraded: degraded.length > 0,
  };
}

/**
 * The shipped cut is one point of a curve. Another that users ask for is the lowest cut at which this share of the answers
 * is right; chosen on the cases that it is measured on, it flatters itself a little.
 */
const WANTED_PRECISION = 0.95;

function summarize(group: string, asked: readonly Asked[]): Measure[] {
  const [withAnswer, without] = [true, false].map((answerable) =>
    asked.filter((one) => one.answerable === answerable),
  ) as [Asked[], Asked[]];
  const share = (name: string, of: readonly Asked[], holds: (one: Asked) => boolean): Measure => ({
    name,
    group,
    ...bootstrapMean(of.map((one) => (holds(one) ? 1 : 0))),
    count: of.length,
  });
  const answered = asked.filter((one) => one.answered);
  const cut = cutForPrecision(
    asked.filter(({ kept }) => kept).map(({ score, right }) => ({ probability: score, relevant: right })),
    WANTED_PRECISION,
  );
  return [
    ...(withAnswer.length === 0 || without.length === 0
      ? []
      : [
          area('auroc', group, withAnswer, without, ({ score }) => score),
          area('auroc:sigmoid', group, withAnswer, without, ({ sigmoid }) => sigmoid),
        ]),
    ...(answered.length === 0 ? [] : [share('answered-precision', answered, ({ right }) => right)]),
    ...(withAnswer.length === 0 ? [] : [share('coverage', withAnswer, (one) => one.answered)]),
    ...(without.length === 0 ? [] : [share('refused', without, (one) => !one.answered)]),
    ...(cut === undefined || withAnswer.length === 0
      ? []
      : [
          share(
            `coverage:precision-${WANTED_PRECISION}`,
            withAnswer,
            ({ kept, score }) => kept && score >= cut.threshold,
          ),
          {
            name: `cut:precision-${WANTED_PRECISION}`,
            group,
            ...bootstrapMean([cut.threshold]),
            count: asked.length,
          },
        ]),
    ...(asked.some(({ degraded }) => degraded) ? [share('degraded', asked, ({ degraded }) => degraded)] : []),
  ];
}

/** With the interval of Hanley and McNeil (1982). */
function area(
  name: string,
  group: string,
  withAnswer: readonly Asked[],
  without: readonly Asked[],
  scoreOf: (one: Asked) => number,
): Measure {
  const mean = areaUnderRoc(withAnswer.map(scoreOf), without.map(scoreOf));
  const [q1, q2] = [mean / (2 - mean), (2 * mean * mean) / (1 + mean)];
  const variance =
    (mean * (1 - mean) +
      (withAnswer.length - 1) * (q1 - mean * mean) +
      (without.length - 1) * (q2 - mean * mean)) /
    (withAnswer.length * without.length);
  const half = 1.96 * Math.sqrt(Math.max(0, variance));
  return {
    name,
    group,
    mean,
    low: Math.max(0, mean - half),
    high: Math.min(1, mean + half),
    count: withAnswer.length + without.length,
  };
}
