import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { AppError } from '../errors.js';
import { readBeirDataset } from '../learn/beir-dataset.js';
import { type Evaluation, evaluateRetrieval, STAGES } from '../learn/evaluate-retrieval.js';
import { evaluationReport } from '../learn/evaluation-report.js';
import { indexDataset } from '../learn/index-dataset.js';
import { METRIC_NAMES, type RankingMetrics } from '../learn/ranking-metrics.js';
import { spread } from '../learn/spread.js';
import { registerEvalAnswersCommand } from './eval-answers-command.js';
import { EXIT } from './exit-codes.js';
import { withCore } from './open-core.js';
import { createProgress, progressBar } from './terminal.js';

interface EvalOptions {
  distractors: string[];
  limit?: string;
  json?: boolean;
  html?: string;
  min: string[];
}

const KNOWLEDGE_BASE = 'eval';

export function registerEvalCommand(program: Command): void {
  const command = program
    .command('eval')
    .enablePositionalOptions()
    .description('measure retrieval and reranking on a labelled set in the BEIR layout')
    .argument('<folder>', 'corpus.jsonl, queries.jsonl and qrels.tsv')
    .option('--distractors <folder...>', 'more documents to search among: folders with a corpus.jsonl', [])
    .option('--limit <number>', 'ask so many questions, spread evenly')
    .option('--min <metric=value...>', 'end with 1 where the last stage is below: ndcg@10=0.9', [])
    .option('--html <file>', 'write a report with plots')
    .option('--json', 'print one JSON object')
    .action(async (folder: string, options: EvalOptions) => {
      const gates = options.min.map(parseGate);
      const evaluation = await evaluate(folder, options);
      const { stages, documents, passages, questions } = evaluation;
      const summary = { set: basename(folder), documents, passages, questions: questions.length, stages };
      process.stdout.write(options.json === true ? `${JSON.stringify(summary)}\n` : table(evaluation));
      if (options.html !== undefined)
        await writeFile(options.html, evaluationReport(basename(folder), evaluation));
      process.exitCode = checkGates(gates, evaluation) ? EXIT.ok : EXIT.failed;
    });
  registerEvalAnswersCommand(command);
}

/** In an index of its own, which goes afterwards. */
async function evaluate(folder: string, { distractors, limit }: EvalOptions): Promise<Evaluation> {
  const dataset = await readBeirDataset(folder, distractors);
  if (limit !== undefined) dataset.queries = spread(dataset.queries, parseLimit(limit));
  const dataDir = await mkdtemp(join(tmpdir(), 'askbase-eval-'));
  const progress = createProgress(process.stderr);
  const show =
    (what: string) =>
    ({ done, total }: { done: number; total: number }): void =>
      progress.show(`${what} ${progressBar(done, total)}`);
  try {
    return await withCore(
      async (core, signal) => {
        const parts = { ...core, knowledgeBase: KNOWLEDGE_BASE, signal };
        const passages = await indexDataset(dataset.documents, { ...parts, onProgress: show('Indexing') });
        return evaluateRetrieval(dataset, { ...parts, passages, onProgress: show('Asking') });
      },
      { dataDir },
    );
  } finally {
    progress.clear();
    await rm(dataDir, { recursive: true, force: true });
  }
}

function table({ documents, passages, questions, stages }: Evaluation): string {
  const head = `${documents} documents, ${passages} passages, ${questions.length} questions\n\n`;
  const rows = STAGES.flatMap((stage) => {
    const estimates = stages[stage];
    if (estimates === undefined) return [];
    const cells = METRIC_NAMES.map((name) => estimates[name].mean.toFixed(3).padStart(12));
    const { low, high } = estimates['ndcg@10'];
    return [`${stage.padEnd(10)}${cells.join('')}   ${low.toFixed(3)}–${high.toFixed(3)}`];
  });
  const names = METRIC_NAMES.map((name) => name.padStart(12)).join('');
  return `${head}${''.padEnd(10)}${names}   ndcg@10, 95 %\n${rows.join('\n')}\n`;
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit > 0) return limit;
  throw new AppError('invalid', `--limit takes a whole number above 0: not "${text}".`);
}

interface Gate {
  metric: keyof RankingMetrics;
  least: number;
}

function parseGate(text: string): Gate {
  const [name = '', value = ''] = text.split('=');
  const metric = METRIC_NAMES.find((known) => known === name);
  const least = Number(value);
  if (metric === undefined || value === '' || Number.isNaN(least)) {
    throw new AppError(
      'invalid',
      `--min takes metric=value, with one of ${METRIC_NAMES.join(', ')}: not "${text}".`,
    );
  }
  return { metric, least };
}

function checkGates(gates: readonly Gate[], { stages }: Evaluation): boolean {
  const last = STAGES.findLast((stage) => stages[stage] !== undefined);
  const missed = gates.filter(
    ({ metric, least }) => last === undefined || (stages[last]?.[metric].mean ?? 0) < least,
  );
  for (const { metric, least } of missed) {
    process.stderr.write(`${metric} of ${last ?? 'nothing'} is below ${least}\n`);
  }
  return missed.length === 0;
}
