import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
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
import { parseCount, withTemporaryCore } from './temporary-core.js';

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

async function evaluate(folder: string, { distractors, limit }: EvalOptions): Promise<Evaluation> {
  const dataset = await readBeirDataset(folder, distractors);
  if (limit !== undefined) dataset.queries = spread(dataset.queries, parseCount('--limit', limit));
  return withTemporaryCore(async (core, { show, signal }) => {
    const parts = { ...core, knowledgeBase: KNOWLEDGE_BASE, signal };
    const passages = await indexDataset(dataset.documents, { ...parts, onProgress: show('Indexing') });
    return evaluateRetrieval(dataset, { ...parts, passages, onProgress: show('Asking') });
  });
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
