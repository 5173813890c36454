import { basename } from 'node:path';
import type { Steps } from '../pipeline.js';
import type { Passage } from '../types.js';
import type { AnswerEvaluationOptions, Measure } from './answer-evaluation.js';
import { type BeirDataset, readBeirDataset } from './beir-dataset.js';
import { bootstrapMean } from './bootstrap.js';
import { type GroundingCase, type GroundingCorpus, makeGroundingCases } from './grounding-set.js';
import { toPassages } from './index-dataset.js';

/** For a person or a place: answers to other questions are no names. */
const ASKS_FOR_NAME =
  /\b(?:who|whom|whose|where|(?:which|what) (?:city|country|state|river|person|king|company|team|town|region|university))\b|谁|誰|哪位|哪[里裡]|哪[一]?[个個座]?(?:国家|國家|国|國|城市|地区|地區|省|州|人|公司|球队|球隊)|何处|何處|何地|什么地方|什麼地方/i;
const LONGEST_NAME = 40;
const LONGEST_HAN_NAME = 10;
/** What the gate on changed facts is about: the rest is reported beside it. */
const FACTS = new Set(['number', 'number-of-passage', 'exchanged', 'date', 'name', 'name-of-passage']);

/**
 * Sends sentences with right, swapped and tampered citations through the check that answers go through, and measures
 * how many right ones pass and how many wrong ones are flagged: anything but `supported` is a flag.
 */
export async function evaluateGrounding(options: AnswerEvaluationOptions): Promise<Measure[]> {
  const corpora = [...(await readKnowledge(options)), ...(await Promise.all(options.sets.map(readSet)))];
  const cases = corpora.flatMap((corpus) => makeGroundingCases(corpus, options.limit));
  const judged: Judged[] = [];
  for (const together of groupBySources(cases)) {
    judged.push(...check(together, options.steps.ground));
    options.onProgress?.({ done: judged.length, total: cases.length });
    options.signal.throwIfAborted();
    await new Promise(setImmediate);
  }
  return summarize(judged);
}

interface Judged {
  kind: string;
  group: string;
  isRight: boolean;
}

/** Cases with the same sources are paragraphs of one answer: taking the sources apart is most of the work. */
function groupBySources(cases: readonly GroundingCase[]): GroundingCase[][] {
  const groups = new Map<GroundingCase['sources'], GroundingCase[]>();
  for (const one of cases) groups.set(one.sources, [...(groups.get(one.sources) ?? []), one]);
  return [...groups.values()];
}

/** A case is flagged where some sentence of its paragraph is shown as anything but supported. */
function check(cases: readonly GroundingCase[], ground: Steps['ground']): Judged[] {
  const grounding = ground(cases[0]?.sources ?? []);
  const frames = [...grounding.push(cases.map(({ answer }) => answer).join('\n\n')), ...grounding.finish()];
  const ends: number[] = [];
  for (const { 0: paragraph, index } of grounding.text.matchAll(/.+/g)) ends.push(index + paragraph.length);
  if (ends.length !== cases.length) throw new Error('a case is one paragraph');
  const flagged = new Set(
    frames.flatMap((frame) =>
      frame.type === 'grounding-checked' && frame.verdict !== 'supported'
        ? [ends.findIndex((end) => frame.span[1] <= end)]
        : [],
    ),
  );
  return cases.map(({ kind, corpus, language }, place) => ({
    kind,
    group: `${corpus} ${language}`,
    isRight: kind.startsWith('right') !== flagged.has(place),
  }));
}

/** The demo knowledge: every knowledge base of the knowledge folder. */
async function readKnowledge({
  index,
  knowledgeBases,
  indexKnowledge,
}: AnswerEvaluationOptions): Promise<GroundingCorpus[]> {
  await indexKnowledge();
  return Promise.all(
    knowledgeBases.list().map(async ({ id }) => {
      const documents = await index.listDocuments(id);
      const passages = await Promise.all(
        documents.map(({ documentId }) => index.readDocument(id, documentId)),
      );
      return { name: id, passages: passages.flat(), names: new Map() };
    }),
  );
}

export async function readSet(folder: string): Promise<GroundingCorpus> {
  const dataset = await readBeirDataset(folder);
  const passages = dataset.documents.flatMap((document): Passage[] => toPassages(document, 'eval'));
  return { name: basename(folder), passages, names: namesOf(dataset) };
}

/** Answers to who, where and which: names that people picked from the documents, not what a tagger takes for one. */
function namesOf({ queries, judgements }: BeirDataset): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const { id, answers = [] } of queries.filter((query) => ASKS_FOR_NAME.test(query.text))) {
    const [answer = ''] = answers;
    const isLatin = /[a-z]/i.test(answer);
    const isName =
      answer !== '' && answer.length <= (isLatin ? LONGEST_NAME : LONGEST_HAN_NAME) && !/\d/.test(answer);
    if (!isName || (isLatin && !/^\p{Lu}/u.test(answer)) || /[，。、,;]/.test(answer)) continue;
    for (const documentId of judgements.get(id)?.keys() ?? []) {
      names.set(documentId, [...(names.get(documentId) ?? []), answer]);
    }
  }
  return names;
}

function summarize(judged: readonly Judged[]): Measure[] {
  const measured = new Map<string, { name: string; group: string; values: number[] }>();
  for (const { kind, group, isRight } of judged) {
    const [what = '', way = ''] = kind.split(':');
    const isCounted = what !== 'changed' || FACTS.has(way);
    const whole = what === 'right' ? 'right-kept' : `${what}-flagged`;
    for (const name of isCounted ? [whole, `${whole}:${way}`] : [`${whole}:${way}`]) {
      for (const place of ['all', group]) {
        const key = `${name} ${place}`;
        const measure = measured.get(key) ?? { name, group: place, values: [] };
        measured.set(key, measure);
        measure.values.push(isRight ? 1 : 0);
      }
    }
  }
  return [...measured.values()]
    .toSorted((a, b) => compare(a.name, b.name) || compare(a.group, b.group))
    .map(({ name, group, values }) => ({ name, group, ...bootstrapMean(values), count: values.length }));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
