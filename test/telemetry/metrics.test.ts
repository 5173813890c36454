import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/errors.js';
import type { FrameBody, Usage } from '../../src/frames.js';
import type { Ask, Steps } from '../../src/pipeline.js';
import { observePipeline } from '../../src/telemetry/observed-pipeline.js';
import { observeSteps } from '../../src/telemetry/observed-steps.js';
import { createPromMetrics } from '../../src/telemetry/prom-metrics.js';
import { completed, delta, shop } from '../stream/scripted-answers.js';

const ask: Ask = {
  conversationId: 'c',
  messageId: 'm',
  knowledgeBase: shop,
  text: 'How long?',
  images: [],
  turns: [],
  owner: 'local',
};
const options = { signal: new AbortController().signal };
const never = (): never => {
  throw new Error('not implemented');
};

async function drain(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('A measured pipeline', () => {
  async function run(bodies: () => Iterable<FrameBody>): Promise<string> {
    const metrics = createPromMetrics();
    const pipeline = observePipeline(async function* () {
      yield* bodies();
    }, metrics);
    await drain(pipeline(ask, options)).catch(() => undefined);
    return (await metrics.scrape()).text;
  }

  it('counts answers, degraded stages and tokens', async () => {
    const text = await run(() => [delta('Done.'), completed('Done.')]);
    expect(text).toContain('askbase_answers_total{status="answered",reason=""} 1');
    expect(text).toContain('askbase_degraded_total{stage="dense"} 1');
    expect(text).toContain('askbase_tokens_total{model="scripted",kind="prompt"} 12');
    expect(text).toContain('askbase_tokens_total{model="scripted",kind="completion"} 3');
  });

  it('counts abstentions by reason and failures by code, each answer once', async () => {
    const noAnswer = { ...completed(''), status: 'no-answer', reason: 'no-hits' } as FrameBody;
    expect(await run(() => [noAnswer])).toContain(
      'askbase_answers_total{status="no-answer",reason="no-hits"} 1',
    );
    const failed = await run(function* () {
      yield delta('Half');
      throw new AppError('model-failed');
    });
    expect(failed).toContain('askbase_answers_total{status="failed",reason="model-failed"} 1');
    const traceLost = await run(function* () {
      yield completed('Done.');
      throw new Error('disk full');
    });
    expect(traceLost).not.toContain('status="failed"');
  });
});

describe('Measured steps', () => {
  const steps: Steps = {
    understand: never,
    findCurated: never,
    retrieve: async () => ({ candidates: [], degraded: [] }),
    rerank: async () => {
      throw new AppError('timeout');
    },
    answerer: {
      seesImages: false,
      mode: 'extractive',
      async *answer() {
        yield { type: 'text', text: 'Done.' };
        yield { type: 'usage', usage: { model: 'm', promptTokens: 1, completionTokens: 1 } };
      },
    },
    judge: null,
    ground: () => ({
      push: () => [],
      finish: () => [
        { type: 'grounding-checked', span: [0, 1], verdict: 'weak', score: 0.4, citations: [1], reasons: [] },
      ],
      text: 'Done.',
      citations: [],
      inventedCitations: 2,
      withheld: 0,
    }),
    costOf: () => undefined,
    abstain: () => ({ text: 'No.' }),
    inspect: () => [],
    writeTrace: async () => undefined,
    engines: () => ({ embedder: null, reranker: null, device: null }),
  };
  const question = { text: 'x', standalone: 'x', language: 'en' } as const;

  it('do what the steps do, and note how long each took and how it ended', async () => {
    const metrics = createPromMetrics();
    const observed = observeSteps(steps, metrics);
    const stepOptions = { knowledgeBase: shop, ...options };
    expect(await observed.retrieve(question, stepOptions)).toEqual({ candidates: [], degraded: [] });
    await expect(observed.rerank(question, [], stepOptions)).rejects.toMatchObject({ code: 'timeout' });
    const request = {
      messageId: 'm',
      owner: 'local',
      question,
      sources: [],
      turns: [],
      knowledgeBase: shop,
      images: [],
    };
    expect(await drain(observed.answerer.answer(request, options))).toHaveLength(2);
    const { text } = await metrics.scrape();
    expect(text).toContain('askbase_stage_seconds_count{stage="retrieve",outcome="ok"} 1');
    expect(text).toContain('askbase_stage_seconds_count{stage="rerank",outcome="failed"} 1');
    expect(text).toContain('askbase_stage_seconds_count{stage="first-token",outcome="ok"} 1');
    expect(text).toContain('askbase_stage_seconds_count{stage="answer",outcome="ok"} 1');
  });

  it('add up what tokens cost, by model, where there is a price', async () => {
    const metrics = createPromMetrics();
    const costOf = ({ model, promptTokens }: Usage) => (model === 'dear' ? promptTokens / 1000 : undefined);
    const observed = observeSteps({ ...steps, costOf }, metrics);
    const usage = { promptTokens: 500, completionTokens: 1 };
    expect(observed.costOf({ model: 'dear', ...usage })).toBe(0.5);
    expect(observed.costOf({ model: 'dear', ...usage })).toBe(0.5);
    expect(observed.costOf({ model: 'unknown', ...usage })).toBeUndefined();
    const { text } = await metrics.scrape();
    expect(text).toContain('askbase_cost_total{model="dear"} 1\n');
    expect(text).not.toContain('model="unknown"');
  });

  it('count verdicts and invented citations', async () => {
    const metrics = createPromMetrics();
    const grounding = observeSteps(steps, metrics).ground([]);
    grounding.push('Done.');
    expect(grounding.finish()).toHaveLength(1);
    expect(grounding).toMatchObject({ text: 'Done.', inventedCitations: 2 });
    const { text } = await metrics.scrape();
    expect(text).toContain('askbase_citations_invented_total 2');
    expect(text).toContain('askbase_sentences_checked_total{verdict="weak"} 1');
  });
});

describe('A watched figure', () => {
  it('is read whenever somebody looks, and forgets labels that are gone', async () => {
    const metrics = createPromMetrics();
    let device = 'webgpu';
    metrics.watch({
      name: 'askbase_device_info',
      help: 'Device in use.',
      labelNames: ['device'],
      read: () => [{ labels: { device }, value: 1 }],
    });
    expect((await metrics.scrape()).text).toContain('askbase_device_info{device="webgpu"} 1');
    device = 'cpu';
    const { text, contentType } = await metrics.scrape();
    expect(text).toContain('askbase_device_info{device="cpu"} 1');
    expect(text).not.toContain('webgpu');
    expect(contentType).toContain('text/plain');
  });
});
