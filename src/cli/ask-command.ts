import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { AppError } from '../errors.js';
import type { FrameBody, Source } from '../frames.js';
import { LOCAL_OWNER } from '../identity/identity.js';
import { answerQuestion } from '../pipeline.js';
import { MAX_QUESTION_LENGTH } from '../stream/ask.js';
import { EXIT } from './exit-codes.js';
import { requireKnowledgeBase, withCore } from './open-core.js';

export function registerAskCommand(program: Command): void {
  program
    .command('ask')
    .description('ask a question and print the answer as it is written')
    .argument('<question...>')
    .requiredOption('--kb <name>', 'knowledge base to ask')
    .option('--json', 'print one JSON object when the answer is complete')
    .action(async (words: string[], options: { kb: string; json?: boolean }) => {
      const text = readQuestion(words);
      process.exitCode = await withCore(async (core, signal) => {
        const ask = {
          conversationId: randomUUID(),
          messageId: randomUUID(),
          knowledgeBase: requireKnowledgeBase(core, options.kb),
          text,
          images: [],
          owner: LOCAL_OWNER,
          turns: [],
        };
        const steps = core.steps({ writeTrace: async () => undefined });
        return print(answerQuestion(ask, steps, { signal }), options.json === true);
      });
    });
}

export function readQuestion(words: readonly string[]): string {
  const text = words.join(' ').trim();
  if (text === '') throw new AppError('invalid', 'The question is empty.');
  if (text.length > MAX_QUESTION_LENGTH) {
    throw new AppError('too-large', `A question may have at most ${MAX_QUESTION_LENGTH} characters.`);
  }
  return text;
}

async function print(frames: AsyncIterable<FrameBody>, asJson: boolean): Promise<number> {
  let sources: Source[] = [];
  let exitCode: number = EXIT.failed;
  for await (const frame of frames) {
    if (frame.type === 'sources-found') sources = frame.sources;
    if (frame.type === 'text-delta' && !asJson) process.stdout.write(frame.text);
    if (frame.type !== 'answer-completed') continue;
    exitCode = frame.status === 'answered' ? EXIT.ok : EXIT.noAnswer;
    const { type: _type, ...answer } = frame;
    process.stdout.write(asJson ? `${JSON.stringify({ ...answer, sources })}\n` : footnotes(frame, sources));
    if (frame.cutOff === true)
      process.stderr.write('The model service cut the answer off, for its length or by its filter.\n');
  }
  return exitCode;
}

function footnotes(
  { citations }: { citations: readonly { n: number }[] },
  sources: readonly Source[],
): string {
  const cited = new Set(citations.map(({ n }) => n));
  const lines = sources
    .filter(({ n }) => cited.has(n))
    .map(
      ({ n, title, headings, documentId }) => `[${n}] ${[title, ...headings].join(' › ')} (${documentId})`,
    );
  return lines.length === 0 ? '\n' : `\n\n${lines.join('\n')}\n`;
}
