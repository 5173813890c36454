import type { FrameBody } from '../../src/frames.js';
import { type KnowledgeBase, knowledgeBaseConfigSchema } from '../../src/ingest/knowledge-base.js';
import type { Ask } from '../../src/pipeline.js';
import type { KnowledgeBases } from '../../src/stream/knowledge-bases.js';
import type { Pipeline } from '../../src/stream/run-answer.js';
import type { Logger } from '../../src/telemetry/logger.js';

export const PASSAGE_ID = '6f2b0cb5-8a6f-5b0f-9a3e-0b8d2f6a1c11';

/** A door in a script: the pipeline waits at it until the test opens it. */
export interface Gate {
  opened: Promise<void>;
  open(): void;
}

export function createGate(): Gate {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

export const delta = (text: string): FrameBody => ({ type: 'text-delta', text });

export const started = (text: string, knowledgeBase = 'shop'): FrameBody => ({
  type: 'answer-started',
  question: { text, standalone: text, language: 'en' },
  knowledgeBase,
  mode: 'model',
});

export const sources: FrameBody = {
  type: 'sources-found',
  sources: [
    {
      n: 1,
      passageId: PASSAGE_ID,
      documentId: 'en/returns.md',
      title: 'Returns',
      headings: ['How long'],
      text: 'You have 30 days.',
      scores: { fused: { score: 0.03, rank: 1 } },
    },
  ],
};

export const citation = { n: 1, passageId: PASSAGE_ID, span: [0, 4] as [number, number], quote: '30 days' };

export const completed = (text: string): FrameBody => ({
  type: 'answer-completed',
  status: 'answered',
  text,
  citations: [citation],
  usage: { model: 'scripted', promptTokens: 12, completionTokens: 3 },
  timings: { total: 5 },
  degraded: ['dense'],
});

/** A whole answer that repeats the question. */
export async function* echo({ text, knowledgeBase }: Ask): AsyncGenerator<FrameBody> {
  yield started(text, knowledgeBase.id);
  yield sources;
  yield delta('You ');
  yield delta(`asked: ${text}`);
  yield { type: 'citation-added', ...citation };
  yield completed(`You asked: ${text}`);
}

/** Writes until it is stopped, and says when that happened. */
export function createEndless(): { pipeline: Pipeline; writing: Promise<void>; aborted: Promise<void> } {
  const writing = createGate();
  const aborted = createGate();
  return {
    writing: writing.opened,
    aborted: aborted.opened,
    async *pipeline({ text }, { signal }) {
      yield started(text);
      yield delta('Once upon a time');
      writing.open();
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      aborted.open();
      signal.throwIfAborted();
    },
  };
}

export const shop: KnowledgeBase = {
  id: 'shop',
  ...knowledgeBaseConfigSchema.parse({
    title: { en: 'Shop', zh: '商店' },
    starters: { en: ['How long?'], zh: [] },
    disclaimer: { en: 'No warranty.' },
  }),
};

export function createKnowledgeBases(...list: KnowledgeBase[]): KnowledgeBases {
  return { get: (id) => list.find((knowledgeBase) => knowledgeBase.id === id), list: () => list };
}

export interface LoggedLine {
  level: keyof Logger;
  message: string;
  fields: Record<string, unknown>;
}

/** Keeps what is logged. */
export function createMemoryLogger(): Logger & { lines: LoggedLine[] } {
  const lines: LoggedLine[] = [];
  const log =
    (level: keyof Logger) =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      lines.push({ level, message, fields });
    };
  return { lines, error: log('error'), warn: log('warn'), info: log('info'), debug: log('debug') };
}
