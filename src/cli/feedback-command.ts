import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { AppError } from '../errors.js';
import { knowledgeBaseIdSchema } from '../ingest/knowledge-base.js';
import { collectExamples, type FeedbackCounts, type FeedbackExample } from '../learn/feedback-examples.js';
import { toBeirFiles, toTriples } from '../learn/write-examples.js';
import { EXIT } from './exit-codes.js';
import { withStore } from './with-store.js';
import { codeOf, writeLines } from './write-lines.js';

interface FeedbackOptions {
  kb?: string;
}

export function registerFeedbackCommand(program: Command): void {
  const feedback = program
    .command('feedback')
    .description('what readers called right and wrong, to learn and to measure from');
  const ofKnowledgeBase = ['--kb <name>', 'this knowledge base only'] as const;
  feedback
    .command('triples')
    .description('write (query, positive, negatives) as JSON lines: what training/ fine-tunes a reranker on')
    .argument('[file]', 'triples.jsonl; - is standard output', '-')
    .option(...ofKnowledgeBase)
    .action(async (file: string, options: FeedbackOptions) => {
      const examples = await collect(options);
      if (examples.length > 0) await writeLines(file, toTriples(examples));
    });
  feedback
    .command('set')
    .description(
      'write a labelled set (corpus.jsonl, queries.jsonl, qrels.tsv): what eval and calibrate read',
    )
    .argument('<folder>', 'made where it is not there')
    .option(...ofKnowledgeBase)
    .action(async (folder: string, options: FeedbackOptions) => {
      const examples = await collect(options);
      if (examples.length > 0) await writeSet(folder, toBeirFiles(examples));
    });
}

/** Says what there is; where nothing can be learned, the exit code says so too. */
async function collect({ kb }: FeedbackOptions): Promise<FeedbackExample[]> {
  const { error } = knowledgeBaseIdSchema.optional().safeParse(kb);
  if (error !== undefined) throw new AppError('invalid', `--kb ${kb}: ${error.issues[0]?.message}.`);
  const { examples, counts } = await withStore((store) =>
    collectExamples(
      { feedback: store, traces: store, conversations: store },
      kb === undefined ? {} : { knowledgeBase: kb },
    ),
  );
  process.stderr.write(`${describe(examples, counts)}\n`);
  if (examples.length === 0) process.exitCode = EXIT.noAnswer;
  return examples;
}

function describe(examples: readonly FeedbackExample[], counts: FeedbackCounts): string {
  const sum = (read: (example: FeedbackExample) => number): number =>
    examples.reduce((total, example) => total + read(example), 0);
  const relevant = sum((example) => example.relevant.length);
  const irrelevant = sum((example) => example.irrelevant.length);
  const left = [
    [counts.withoutTrace, 'without a trace any more'],
    [counts.aboutNoPassage, 'about no passage'],
    [counts.withoutRelevant, 'questions without a relevant passage'],
    [counts.contested, 'passages with as many votes for as against'],
  ] as const;
  return [
    `${counts.verdicts} verdicts: ${examples.length} questions with ${relevant} relevant and ${irrelevant} other passages`,
    ...left.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`),
  ].join('; ');
}

async function writeSet(folder: string, files: Record<string, string>): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  } catch (thrown) {
    if (codeOf(thrown) === undefined) throw thrown;
    throw new AppError('unavailable', `${folder} cannot be written (${codeOf(thrown)}).`, { cause: thrown });
  }
}
