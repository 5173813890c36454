import { AskbaseError } from '../../src/client/askbase-error.js';
import type { AnswerFrame } from '../../src/frames.js';
import { connectClient, requireWhole } from '../support/answers.js';

export interface LoadOptions {
  url: string;
  clients?: number;
  question?: { knowledgeBase: string; text: string };
}

/** What became of every question. */
export interface Outcome {
  /** Answered to their end, every frame once and in order. */
  completed: number;
  /** Refused, or ended by an `answer-failed` frame: how often which code. */
  refused: Record<string, number>;
  /** Anything else: a frame missing, twice or out of order, an error without a code, or nothing at all. */
  lost: string[];
  /** Messages that the server acknowledged. */
  acknowledged: string[];
}

export interface Load {
  /** Resolves when so many questions have been completed since the load began. */
  completed(count: number): Promise<void>;
  /** Asks nothing more, waits for what is under way. */
  finish(): Promise<Outcome>;
}

const PATIENCE_MS = 120_000;

/** Clients that ask one question after the other, through whatever happens. */
export function startLoad({
  url,
  clients = 6,
  question = { knowledgeBase: 'shop', text: 'How many days do I have to return an item?' },
}: LoadOptions): Load {
  const outcome: Outcome = { completed: 0, refused: {}, lost: [], acknowledged: [] };
  const waiting: { count: number; resolve: () => void }[] = [];
  let finished = false;

  const refuse = (code: string): void => {
    outcome.refused[code] = (outcome.refused[code] ?? 0) + 1;
  };
  const complete = (): void => {
    outcome.completed += 1;
    for (const { count, resolve } of waiting) if (outcome.completed >= count) resolve();
  };
  const askOnce = async (client: ReturnType<typeof connectClient>): Promise<void> => {
    const answer = await client.ask(question);
    outcome.acknowledged.push(answer.position.messageId);
    const frames: AnswerFrame[] = [];
    for await (const frame of answer) frames.push(frame);
    requireWhole(frames);
    const final = frames.at(-1);
    if (final?.type === 'answer-completed') complete();
    else if (final?.type === 'answer-failed') refuse(final.error.code);
    else outcome.lost.push('an answer without an end');
  };
  const work = async (): Promise<void> => {
    const client = connectClient(url);
    while (!finished) {
      const late = new AbortController();
      const giveUp = new Promise<never>((_, reject) => {
        const timer = setTimeout(() => reject(new Error('nothing came')), PATIENCE_MS);
        late.signal.addEventListener('abort', () => clearTimeout(timer));
      });
      await Promise.race([askOnce(client), giveUp])
        .catch((thrown: unknown) => {
          if (thrown instanceof AskbaseError) refuse(thrown.code);
          else outcome.lost.push(String(thrown));
        })
        .finally(() => late.abort());
    }
    client.close();
  };
  const working = Promise.all(Array.from({ length: clients }, work));

  return {
    completed: (count) =>
      outcome.completed >= count
        ? Promise.resolve()
        : new Promise((resolve) => waiting.push({ count, resolve })),
    async finish() {
      finished = true;
      await working;
      return outcome;
    },
  };
}

/** The outcome in one line, for the report. */
export function describeOutcome({ completed, refused, lost, acknowledged }: Outcome): string {
  return JSON.stringify({ acknowledged: acknowledged.length, completed, refused, lost: lost.length });
}

/** Messages that the server acknowledged and whose frames it cannot give whole, with an end. */
export async function lostMessages(url: string, messageIds: readonly string[]): Promise<string[]> {
  const lost: string[] = [];
  for (const messageId of messageIds) {
    const response = await fetch(`${url}/v1/answers/${messageId}/frames`);
    const { ended, frames } = (await response.json()) as { ended?: boolean; frames?: AnswerFrame[] };
    const whole = frames?.every(({ seq }, index) => seq === index) ?? false;
    if (ended !== true || !whole) lost.push(messageId);
  }
  return lost;
}
