import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { AppError } from '../errors.js';
import type { Judgements } from './ranking-metrics.js';

export interface BeirDocument {
  id: string;
  title: string;
  text: string;
}

export interface BeirQuery {
  id: string;
  text: string;
  /** Words of the relevant documents that answer it; absent where the collection says none. */
  answers?: string[];
}

/** A labelled collection in the layout of the BEIR benchmark. */
export interface BeirDataset {
  documents: BeirDocument[];
  queries: BeirQuery[];
  /** By query id. */
  judgements: Map<string, Judgements>;
}

const documentSchema = z.object({ _id: z.string(), title: z.string().default(''), text: z.string() });
const querySchema = z.object({ _id: z.string(), text: z.string(), answers: z.array(z.string()).optional() });

/**
 * Reads `corpus.jsonl`, `queries.jsonl` and `qrels.tsv` of a folder, and the documents of further folders as
 * distractors. Queries without judgements are left out, as are documents whose id is already there, and distractors
 * whose text is: a copy of the right document would be judged wrong, and which of the two comes first is chance.
 *
 * @throws AppError `invalid` naming the file and line that is wrong, `not-found` where a file is missing
 */
export async function readBeirDataset(
  dir: string,
  distractorDirs: readonly string[] = [],
): Promise<BeirDataset> {
  const documents = new Map<string, BeirDocument>();
  const texts = new Set<string>();
  for (const folder of [dir, ...distractorDirs]) {
    const prefix = folder === dir ? '' : `${folder}#`;
    for (const { _id, title, text } of await readJsonLines(join(folder, 'corpus.jsonl'), documentSchema)) {
      if (folder !== dir && texts.has(text.trim())) continue;
      texts.add(text.trim());
      documents.set(prefix + _id, { id: prefix + _id, title, text });
    }
  }
  const judgements = await readJudgements(join(dir, 'qrels.tsv'));
  const queries = (await readJsonLines(join(dir, 'queries.jsonl'), querySchema))
    .map(({ _id, text, answers }) => ({ id: _id, text, ...(answers === undefined ? {} : { answers }) }))
    .filter(({ id }) => judgements.has(id));
  return { documents: [...documents.values()], queries, judgements };
}

/** Throws AppError `invalid` naming the line that is wrong, `not-found` where there is no such file. */
export async function readJsonLines<T>(path: string, schema: z.ZodType<T>): Promise<T[]> {
  const rows: T[] = [];
  for await (const { line, number } of readLines(path)) {
    const parsed = schema.safeParse(parseJson(line));
    if (!parsed.success)
      throw new AppError('invalid', `${path}:${number} is not a line of that file's form.`);
    rows.push(parsed.data);
  }
  return rows;
}

async function readJudgements(path: string): Promise<Map<string, Map<string, number>>> {
  const judgements = new Map<string, Map<string, number>>();
  for await (const { line, number } of readLines(path)) {
    const [query = '', document = '', score = ''] = line.split('\t');
    const gain = Number(score);
    if (number === 1 && Number.isNaN(gain)) continue;
    if (query === '' || document === '' || score.trim() === '' || Number.isNaN(gain)) {
      throw new AppError('invalid', `${path}:${number} is not "query-id, corpus-id, score".`);
    }
    const known = judgements.get(query) ?? new Map<string, number>();
    judgements.set(query, known.set(document, gain));
  }
  return judgements;
}

async function* readLines(path: string): AsyncGenerator<{ line: string; number: number }> {
  if (!existsSync(path)) throw new AppError('not-found', `There is no ${path}.`);
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    number += 1;
    if (line.trim() !== '') yield { line, number };
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
