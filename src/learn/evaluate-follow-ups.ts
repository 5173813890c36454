import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../errors.js';
import { knowledgeBaseIdSchema } from '../ingest/knowledge-base.js';
import type { Candidate, Turn } from '../types.js';
import type { AnswerEvaluationOptions, EvaluateAnswers, Measure } from './answer-evaluation.js';
import { bootstrapMean } from './bootstrap.js';

const FILE = 'dialogues.jsonl';
/** A right passage is found where it is among so many. */
const FIRST = 5;

/** A line of `dialogues.jsonl`: two questions of a conversation, and what the second one means. */
const dialogueSchema = z.strictObject({
  knowledgeBase: knowledgeBaseIdSchema,
  language: z.enum(['en', 'zh']),
  /** Rules are made on one half and measured on the other. */
  half: z.enum(['development', 'test']),
  kind: z.enum(['pronoun', 'ellipsis', 'what-about', 'correction', 'topic-change']),
  first: z.string().min(1),
  followUp: z.string().min(1),
  writtenOut: z.string().min(1),
  /** Documents that answer it, and words of the passage in each. */
  document: z.array(z.string()).min(1),
  contains: z.array(z.string()).min(1),
});

type Dialogue = z.infer<typeof dialogueSchema>;

interface Result {
  dialogue: Dialogue;
  /** Whether retrieval finds a right passage for the follow-up, and for what it means, asked by itself. */
  followUp: boolean;
  writtenOut: boolean;
}

/**
 * Asks both questions of every dialogue of the sets as a conversation, and the second one written out by itself: how
 * often retrieval has a right passage among its first five. Sets without dialogues are passed over.
 */
export const evaluateFollowUps: EvaluateAnswers = async (options) => {
  const dialogues = (await Promise.all(options.sets.map(readDialogues))).flat().slice(0, options.limit);
  if (dialogues.length === 0) return [];
  await options.indexKnowledge();
  const results: Result[] = [];
  for (const dialogue of dialogues) {
    results.push(await askTwice(dialogue, options));
    options.onProgress?.({ done: results.length, total: dialogues.length });
  }
  return [
    ...measure('all', results),
    ...(['en', 'zh'] as const).flatMap((language) =>
      (['development', 'test'] as const).flatMap((half) =>
        measure(
          `${language}, ${half} half`,
          results.filter(({ dialogue }) => dialogue.language === language && dialogue.half === half),
        ),
      ),
    ),
  ];
};

async function readDialogues(folder: string): Promise<Dialogue[]> {
  const text = await readFile(join(folder, FILE), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, index) => {
      const dialogue = dialogueSchema.safeParse(JSON.parse(line));
      if (dialogue.success) return dialogue.data;
      throw new AppError('invalid', `Line ${index + 1} of ${join(folder, FILE)} is no dialogue.`);
    });
}

async function askTwice(dialogue: Dialogue, options: AnswerEvaluationOptions): Promise<Result> {
  const { steps, knowledgeBases, signal } = options;
  const knowledgeBase = knowledgeBases.ensure(dialogue.knowledgeBase);
  const read = async (text: string, turns: readonly Turn[] = []) =>
    (await steps.understand({ text, turns, knowledgeBase }, { signal })).question;
  const { text, standalone } = await read(dialogue.first);
  const questions = [
    await read(dialogue.followUp, [{ question: text, standalone, answer: '' }]),
    await read(dialogue.writtenOut),
  ];
  const [followUp = false, writtenOut = false] = await Promise.all(
    questions.map(async (question) => {
      const { candidates } = await steps.retrieve(question, { knowledgeBase, signal });
      return isAmongFirst(candidates, dialogue);
    }),
  );
  return { dialogue, followUp, writtenOut };
}

function isAmongFirst(candidates: readonly Candidate[], { document, contains }: Dialogue): boolean {
  const found = candidates.slice(0, FIRST).map(({ passage }) => ({
    documentId: passage.documentId,
    text: passage.text.replaceAll('**', ''),
  }));
  return document.some((path, index) =>
    found.some(({ documentId, text }) => documentId === path && text.includes(contains[index] ?? '')),
  );
}

/** `kept`: of the questions that are found written out, how many are found as follow-ups. */
function measure(group: string, results: readonly Result[]): Measure[] {
  const answerable = results.filter(({ writtenOut }) => writtenOut);
  const values: [string, boolean[]][] = [
    ['follow-up-hit@5', results.map(({ followUp }) => followUp)],
    ['written-out-hit@5', results.map(({ writtenOut }) => writtenOut)],
    ['kept', answerable.map(({ followUp }) => followUp)],
  ];
  return values.map(([name, hits]) => ({
    name,
    group,
    count: hits.length,
    ...bootstrapMean(hits.map(Number)),
  }));
}
