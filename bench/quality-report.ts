/**
 * Measures the labelled sets through the product and writes the tables of docs/quality.md, each under the command that
 * makes it again. `npm run eval:quality -- <folder of the sets> [questions per set]`
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

interface Estimate {
  mean: number;
  low: number;
  high: number;
}
interface Summary {
  documents: number;
  passages: number;
  questions: number;
  stages: Record<string, Record<string, Estimate>>;
}

/** Each with its distractors, and the hit@1 or NDCG@10 of BM25 over whole paragraphs that it must beat. */
const SETS: { set: string; distractors: string[]; bm25: string }[] = [
  { set: 'xquad-zh', distractors: ['drcd-dev', 'cmrc2018-trial'], bm25: '0.954 / 0.911' },
  { set: 'xquad-en', distractors: ['squad2-dev'], bm25: '0.940 / 0.887' },
  { set: 'squad2-dev', distractors: ['xquad-en'], bm25: '0.891 / 0.814' },
  { set: 'medical-en', distractors: [], bm25: '0.534 / 0.289' },
  { set: 'medical-zh', distractors: [], bm25: '0.184 / 0.119' },
];
const COLUMNS = ['ndcg@10', 'hit@1', 'mrr@10', 'map', 'recall@10', 'recall@50', 'precision@10', 'f1@10'];
const PAGE = 'docs/quality.md';
const [START, END] = ['<!-- retrieval: start -->', '<!-- retrieval: end -->'];

const [data, limit] = process.argv.slice(2);
if (data === undefined) throw new Error('Name the folder of the labelled sets.');
const run = promisify(execFile);
const parts: string[] = [];
for (const { set, distractors, bm25 } of SETS) {
  const options = [
    ...(distractors.length === 0 ? [] : ['--distractors', ...distractors]),
    ...(limit === undefined ? [] : ['--limit', limit]),
  ];
  const paths = [set, ...options].map((word) =>
    [set, ...distractors].includes(word) ? join(data, word) : word,
  );
  const command = [process.execPath, 'dist/cli/askbase.js', 'eval', ...paths, '--json'];
  const { stdout } = await run(command[0] as string, command.slice(1), { maxBuffer: 1 << 24 });
  parts.push(section(set, ['npx askbase eval', set, ...options].join(' '), bm25, JSON.parse(stdout)));
  process.stderr.write(`${set} is measured\n`);
  const page = await readFile(PAGE, 'utf8');
  const [before, after] = [page.split(START)[0], page.split(END)[1]];
  const note = `Measured on ${new Date().toISOString().slice(0, 10)}, ${cpus().length} CPU cores.`;
  await writeFile(PAGE, `${before}${START}\n${note}\n\n${parts.join('\n\n')}\n${END}${after}`);
}

function section(set: string, command: string, bm25: string, summary: Summary): string {
  const { documents, passages, questions, stages } = summary;
  const rows = Object.entries(stages).map(([stage, metrics]) => {
    const cells = COLUMNS.map((name, column) => {
      const { mean, low, high } = metrics[name] as Estimate;
      return column < 2 ? `${mean.toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)})` : mean.toFixed(3);
    });
    return `| ${stage} | ${cells.join(' | ')} |`;
  });
  return [
    `### ${set}`,
    '',
    `    ${command}`,
    '',
    `${documents} documents, ${passages} passages, ${questions} questions. BM25 over whole documents: NDCG@10 / hit@1 ${bm25}.`,
    '',
    `| stage | ${COLUMNS.join(' | ')} |`,
    `| --- |${' ---: |'.repeat(COLUMNS.length)}`,
    ...rows,
  ].join('\n');
}
