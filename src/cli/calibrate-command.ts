import { basename, join } from 'node:path';
import { type Command, Option } from 'commander';
import { AppError } from '../errors.js';
import { modelDirOf } from '../inference/model-folders.js';
import { CONFIG_FILE } from '../ingest/load-knowledge-bases.js';
import { readBeirDataset } from '../learn/beir-dataset.js';
import { type CalibrationGoal, calibrate } from '../learn/calibrate.js';
import { indexDataset } from '../learn/index-dataset.js';
import { spread } from '../learn/spread.js';
import {
  CALIBRATED,
  type Calibrated,
  type Calibrations,
  writeToManifest,
} from '../learn/write-calibration.js';
import { writeToKnowledgeBase } from '../learn/yaml-calibration.js';
import { readEnvironment } from './environment.js';
import { readConfigOrExit } from './serve-command.js';
import { parseCount, withTemporaryCore } from './temporary-core.js';

interface CalibrateCommandOptions {
  distractors: string[];
  precision?: string;
  abstention?: string;
  questions: string;
  write: Calibrated[];
  kb?: string;
  json?: boolean;
}

const KNOWLEDGE_BASE = 'calibrate';

export function registerCalibrateCommand(program: Command): void {
  program
    .command('calibrate')
    .description("learn from a labelled set what the reranker's scores mean, and where to cut")
    .argument('<folder>', 'corpus.jsonl, queries.jsonl and qrels.tsv')
    .option('--distractors <folder...>', 'more documents to search among: folders with a corpus.jsonl', [])
    .option('--precision <share>', 'right answers among those given, half of the questions having none (0.9)')
    .addOption(
      new Option('--abstention <share>', 'questions that are left unanswered').conflicts('precision'),
    )
    .option('--questions <number>', 'ask so many, spread evenly', '400')
    .addOption(
      new Option('--write <what...>', "into the reranker's manifest").choices(CALIBRATED).default([]),
    )
    .option('--kb <id>', 'write the threshold into that knowledge base instead')
    .option('--json', 'print one JSON object')
    .action(run);
}

async function run(folder: string, options: CalibrateCommandOptions): Promise<void> {
  const goal = parseGoal(options);
  const { rerank, modelsDir, knowledgeDir } = readConfigOrExit(readEnvironment());
  if (options.kb !== undefined && options.write.some((what) => what !== 'threshold')) {
    throw new AppError(
      'invalid',
      'A knowledge base has no model of its own: with --kb, write threshold only.',
    );
  }
  const calibrations = await measure(folder, options, goal);
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify({ set: basename(folder), reranker: rerank.model, goal, calibrations })}\n`
      : table(calibrations),
  );
  if (options.kb !== undefined) {
    await writeToKnowledgeBase(join(knowledgeDir, options.kb, CONFIG_FILE), calibrations);
  } else if (options.write.length > 0) {
    await writeToManifest(modelDirOf(modelsDir, rerank.model), calibrations, options.write);
  }
}

async function measure(
  folder: string,
  { distractors, questions }: CalibrateCommandOptions,
  goal: CalibrationGoal,
): Promise<Calibrations> {
  const dataset = await readBeirDataset(folder, distractors);
  dataset.queries = spread(dataset.queries, parseCount('--questions', questions));
  return withTemporaryCore(async ({ reranker, ...core }, { show, signal }) => {
    if (reranker === null) throw new AppError('unavailable', 'There is no reranker to calibrate.');
    const parts = { ...core, knowledgeBase: KNOWLEDGE_BASE, signal };
    await indexDataset(dataset.documents, { ...parts, onProgress: show('Indexing') });
    return calibrate(dataset, { ...parts, reranker, goal, onProgress: show('Asking') });
  });
}

function parseGoal({ precision, abstention }: CalibrateCommandOptions): CalibrationGoal {
  return abstention === undefined
    ? { precision: parseShare('--precision', precision ?? '0.9') }
    : { abstention: parseShare('--abstention', abstention) };
}

function parseShare(name: string, text: string): number {
  const share = Number(text);
  if (text.trim() !== '' && share >= 0 && share <= 1) return share;
  throw new AppError('invalid', `${name} takes a share from 0 to 1: not "${text}".`);
}

function table(calibrations: Calibrations): string {
  const blocks = Object.entries(calibrations).map(([language, one]) => {
    const { questions, scaling, calibrationError, threshold, answerability, auroc, answered } = one;
    const { weight, ndcg } = one.lexicalWeight;
    const cut = (found: typeof threshold): string =>
      found === null
        ? 'none reaches the goal'
        : `${found.threshold.toFixed(4)} (precision ${found.precision.toFixed(3)}, answered ${found.coverage.toFixed(3)})`;
    return [
      `${language}, ${questions} questions, each with and without its answer`,
      `  probability of relevance    sigmoid(${scaling.scale.toFixed(3)} × logit + ${scaling.shift.toFixed(3)})`,
      `  calibration error           ${calibrationError.before.toFixed(3)} before, ${calibrationError.after.toFixed(3)} after`,
      `  threshold on the sigmoid    ${cut(threshold)}`,
      `  AUROC of the sigmoid        ${auroc.sigmoid.toFixed(3)}`,
      `  AUROC of answerability      ${auroc.answerability.toFixed(3)}`,
      `  threshold of answerability  ${cut(answered)}`,
      `  answerability               ${JSON.stringify(answerability.weights)}, intercept ${answerability.intercept}`,
      `  weight of the lexical score ${weight} (NDCG@10 ${ndcg.without.toFixed(3)} without, ${ndcg.with.toFixed(3)} with)`,
    ].join('\n');
  });
  return blocks.length === 0
    ? 'Too few questions: 20 of one language are needed.\n'
    : `${blocks.join('\n\n')}\n`;
}
