import { sigmoid } from '../inference/sigmoid.js';
import { detectLanguage } from '../language.js';
import {
  ANSWERABILITY_SIGNALS,
  type AnswerabilityModel,
  type AnswerabilitySignals,
  judgeAnswerability,
  readSignals,
} from '../rerank/answerability.js';
import type { Candidate, Language } from '../types.js';
import { type AskedTwice, type AskTwiceOptions, askTwice } from './ask-twice.js';
import { areaUnderRoc } from './auroc.js';
import type { BeirDataset } from './beir-dataset.js';
import {
  type Cut,
  cutForAbstention,
  cutForPrecision,
  expectedCalibrationError,
  fitPlattScaling,
  type PlattScaling,
} from './calibration.js';
import { fitLexicalWeight, meanNdcg, type RankedQuestion } from './fit-lexical-weight.js';
import { PLAIN_LEXICON } from './index-dataset.js';
import { fitLogisticRegression } from './logistic-regression.js';

/** What the cuts are to reach: a share of right answers among those given, or of questions left unanswered. */
export type CalibrationGoal = { precision: number } | { abstention: number };

export interface LanguageCalibration {
  questions: number;
  /** Probability that a passage is relevant = sigmoid(scale × logit + shift). */
  scaling: PlattScaling;
  /** Expected calibration error of the sigmoid itself, and of that probability. */
  calibrationError: { before: number; after: number };
  /** Cut on the sigmoid of the best passage; null where no cut reaches the goal. */
  threshold: Cut | null;
  answerability: AnswerabilityModel;
  /** What a unit of the lexical score is to add to the logit for the order, and NDCG@10 without it and with it. */
  lexicalWeight: { weight: number; ndcg: { without: number; with: number } };
  /** Of answerable against unanswerable questions: by the best sigmoid alone, and by all signals. */
  auroc: { sigmoid: number; answerability: number };
  /** What the answerability's cut gives; null where no cut reaches the goal, and then it is 0. */
  answered: Cut | null;
}

export interface CalibrateOptions extends AskTwiceOptions {
  goal: CalibrationGoal;
  onProgress?: (progress: { done: number; total: number }) => void;
}

/** Passages of a question that count as judged pairs. */
const PAIRS = 10;

/**
 * Asks every question twice, with its answer in the index and without, and fits what the answers say, per language.
 * Models and cuts come from every other question; the errors and areas are measured on the rest. A language with
 * fewer than 20 questions is left out.
 */
export async function calibrate(
  { queries, judgements }: BeirDataset,
  { goal, onProgress, ...options }: CalibrateOptions,
): Promise<Partial<Record<Language, LanguageCalibration>>> {
  const asked: Record<Language, AskedTwice[]> = { en: [], zh: [] };
  for (const [index, query] of queries.entries()) {
    const judged = judgements.get(query.id) ?? new Map<string, number>();
    asked[detectLanguage(query.text)].push(await askTwice(query, judged, options));
    onProgress?.({ done: index + 1, total: queries.length });
  }
  const analyze = (text: string): string[] => options.analyzer.analyze(text, PLAIN_LEXICON);
  return Object.fromEntries(
    Object.entries(asked)
      .filter(([, questions]) => questions.length >= 20)
      .map(([language, questions]) => [language, calibrateLanguage(questions, goal, analyze)]),
  );
}

interface Case {
  signals: AnswerabilitySignals;
  answerable: boolean;
  /** Whether the best passage is relevant. */
  right: boolean;
}

function calibrateLanguage(
  questions: readonly AskedTwice[],
  goal: CalibrationGoal,
  analyze: (text: string) => string[],
): LanguageCalibration {
  const [learned, held] = [0, 1].map((part) => questions.filter((_, index) => index % 2 === part)) as [
    AskedTwice[],
    AskedTwice[],
  ];
  const scaling = fitPlattScaling(learned.flatMap(pairsOf));
  const errorOf = (toProbability: (logit: number) => number): number =>
    expectedCalibrationError(
      held.flatMap(pairsOf).map(({ logit, relevant }) => ({ probability: toProbability(logit), relevant })),
    );

  const [cases, heldCases] = [learned, held].map((part) => part.flatMap((one) => casesOf(one, analyze))) as [
    Case[],
    Case[],
  ];
  const { intercept, weights } = fitLogisticRegression(
    cases.map(({ signals, answerable }) => ({
      features: ANSWERABILITY_SIGNALS.map((name) => signals[name]),
      label: answerable,
    })),
  );
  const named = ANSWERABILITY_SIGNALS.map((name, at) => [name, rounded(weights[at] as number)]);
  const model: AnswerabilityModel = {
    intercept: rounded(intercept),
    weights: Object.fromEntries(named) as AnswerabilitySignals,
    threshold: 0,
  };
  const ranked = (part: readonly AskedTwice[]): RankedQuestion[] =>
    part.map(({ answerable, judgements }) => ({ candidates: answerable, judgements }));
  const weight = fitLexicalWeight(ranked(learned));
  const bySigmoid = ({ signals }: Case): number => sigmoid(signals.logit);
  const byModel = ({ signals }: Case): number => judgeAnswerability(model, signals).probability;
  const answered = cutFor(goal, cases, byModel);
  model.threshold = rounded(answered?.threshold ?? 0);
  return {
    questions: questions.length,
    scaling,
    calibrationError: {
      before: errorOf(sigmoid),
      after: errorOf((logit) => sigmoid(scaling.scale * logit + scaling.shift)),
    },
    threshold: measureCut(cutFor(goal, cases, bySigmoid)?.threshold, heldCases, bySigmoid),
    answerability: model,
    lexicalWeight: {
      weight,
      ndcg: { without: meanNdcg(ranked(held), 0), with: meanNdcg(ranked(held), weight) },
    },
    auroc: { sigmoid: areaOf(heldCases, bySigmoid), answerability: areaOf(heldCases, byModel) },
    answered: measureCut(answered?.threshold, heldCases, byModel),
  };
}

function pairsOf({ answerable, isRelevant }: AskedTwice): { logit: number; relevant: boolean }[] {
  return answerable
    .slice(0, PAIRS)
    .map((candidate) => ({ logit: candidate.scores.rerank?.logit ?? 0, relevant: isRelevant(candidate) }));
}

function casesOf(
  { terms, answerable, unanswerable, isRelevant }: AskedTwice,
  analyze: (text: string) => string[],
): Case[] {
  const caseOf = (candidates: readonly Candidate[], isAnswerable: boolean): Case[] => {
    const signals = readSignals(terms, candidates, analyze);
    const [best] = candidates;
    return signals === null || best === undefined
      ? []
      : [{ signals, answerable: isAnswerable, right: isRelevant(best) }];
  };
  return [...caseOf(answerable, true), ...caseOf(unanswerable, false)];
}

function cutFor(
  goal: CalibrationGoal,
  cases: readonly Case[],
  scoreOf: (one: Case) => number,
): Cut | undefined {
  const judged = cases.map((one) => ({ probability: scoreOf(one), relevant: one.right }));
  return 'precision' in goal
    ? cutForPrecision(judged, goal.precision)
    : cutForAbstention(judged, goal.abstention);
}

/** What a cut that was found on other cases does to these. */
function measureCut(
  threshold: number | undefined,
  cases: readonly Case[],
  scoreOf: (one: Case) => number,
): Cut | null {
  if (threshold === undefined) return null;
  const answered = cases.filter((one) => scoreOf(one) >= threshold);
  return {
    threshold: rounded(threshold),
    precision: answered.filter(({ right }) => right).length / Math.max(1, answered.length),
    coverage: answered.length / Math.max(1, cases.length),
  };
}

function areaOf(cases: readonly Case[], scoreOf: (one: Case) => number): number {
  return areaUnderRoc(
    cases.filter(({ answerable }) => answerable).map(scoreOf),
    cases.filter(({ answerable }) => !answerable).map(scoreOf),
  );
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
