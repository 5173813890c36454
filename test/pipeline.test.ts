import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { abstain } from '../src/answer/abstention.js';
import type { Answerer } from '../src/answer/answerer.js';
import { createExtractiveAnswerer } from '../src/answer/extractive-answerer.js';
import { createModelAnswerer } from '../src/answer/model-answerer.js';
import { createOpenAIChatModel } from '../src/answer/openai-chat-model.js';
import { loadPrompts, type Prompts } from '../src/answer/prompts.js';
import { AppError } from '../src/errors.js';
import { type FrameBody, frameBodySchema } from '../src/frames.js';
import { createGrounding } from '../src/ground/citation-grounding.js';
import { findSuspicions } from '../src/guard/find-suspicions.js';
import { type Ask, answerQuestion, type Steps } from '../src/pipeline.js';
import { createQuestionReader } from '../src/question/question-reader.js';
import { collectVocabulary } from '../src/question/vocabulary.js';
import { createAnalyzer } from '../src/retrieve/analyzer.js';
import type { Trace } from '../src/store/trace-store.js';
import type { Candidate, Decision, JudgedCandidate } from '../src/types.js';
import { type ModelServer, startModelServer } from './support/model-server.js';
import { passageOf } from './support/passages.js';
import { sampleKnowledgeBase } from './support/sample-knowledge-base.js';
import { silentLogger } from './support/silent-logger.js';

const analyzer = createAnalyzer();
const never = new AbortController().signal;
const knowledgeBase = sampleKnowledgeBase({
  triage: [
    {
      id: 'gas',
      phrases: { en: ['smell gas'], zh: ['煤气味'] },
      answer: { en: 'Leave now.', zh: '马上离开。' },
    },
  ],
  handoff: { phrases: { en: ['talk to a human'], zh: ['转人工'] }, message: { en: 'A colleague comes.' } },
});

function candidate(id: string, text: string, rank: number): Candidate {
  return { passage: passageOf('shop', { id, text }), scores: { fused: { score: 1 / rank, rank } } };
}

const CANDIDATES = [
  candidate('days', 'You may return an item within 30 days of delivery. Gold members have 45 days.', 1),
  candidate('fees', 'Return postage costs ¥12 and is taken off the refund.', 2),
  candidate('other', 'The showroom is open from Thursday to Sunday.', 3),
];

function judge(decisions: readonly Decision[]): JudgedCandidate[] {
  return CANDIDATES.map((found, index) => ({ ...found, decision: decisions[index] ?? 'below-threshold' }));
}

let server: ModelServer;
let prompts: Prompts;
let traces: Trace[];
beforeAll(async () => {
  prompts = await loadPrompts('prompts');
});
beforeEach(async () => {
  server = await startModelServer();
  traces = [];
});
afterEach(() => server.close());

function modelAnswerer({ sees = false } = {}): Answerer {
  const chatModel = createOpenAIChatModel({
    apiKey: 'key',
    baseUrl: server.url,
    models: ['scripted'],
    logger: silentLogger,
  });
  return createModelAnswerer({ chatModel, visionModel: sees ? chatModel : null, prompts });
}

function stepsWith(changes: Partial<Steps> = {}): Steps {
  return {
    understand: createQuestionReader({
      chatModel: null,
      prompts,
      logger: silentLogger,
      analyzer,
      vocabularyOf: async () => collectVocabulary([], knowledgeBase),
    }),
    findCurated: async () => null,
    retrieve: async () => ({ candidates: CANDIDATES, degraded: [] }),
    rerank: async () => ({ candidates: judge(['kept', 'kept']), threshold: 0.5, degraded: [] }),
    answerer: createExtractiveAnswerer({ analyzer }),
    ground: createGrounding({ analyzer }),
    judge: null,
    abstain,
    costOf: () => 0.25,
    inspect: findSuspicions,
    writeTrace: async (trace) => {
      traces.push(structuredClone(trace));
    },
    engines: () => ({ embedder: 'embed', reranker: 'rerank', device: 'cpu' }),
    ...changes,
  };
}

const SIGNALS = {
  logit: 1,
  lead: 0,
  cosine: 0.5,
  cosineLead: 0.1,
  coverage: 0.4,
  lexical: 8,
  lexicalPerTerm: 2,
  identifiers: 0,
};

const notReached = (): never => expect.fail('this step should not run');

async function run(
  text: string,
  changes: Partial<Steps> = {},
  options: Partial<Ask> & { signal?: AbortSignal } = {},
) {
  const { signal = never, ...rest } = options;
  const ask: Ask = {
    conversationId: 'c',
    messageId: 'm',
    knowledgeBase,
    text,
    images: [],
    turns: [],
    owner: 'local',
    ...rest,
  };
  const frames: FrameBody[] = [];
  let failure: unknown;
  try {
    for await (const frame of answerQuestion(ask, stepsWith(changes), { signal })) {
      frames.push(frameBodySchema.parse(frame));
    }
  } catch (thrown) {
    failure = thrown;
  }
  const last = frames.at(-1);
  return {
    frames,
    failure,
    completed: last?.type === 'answer-completed' ? last : undefined,
    text: frames.map((frame) => (frame.type === 'text-delta' ? frame.text : '')).join(''),
    types: frames.map(({ type }) => type),
  };
}

describe('a question with an answer', () => {
  it('goes all the way: what was found, quoted, cited, checked and traced are the same passages', async () => {
    const { frames, types, text, completed } = await run('How many days do I have to return an item?');
    expect(types.slice(0, 3)).toEqual(['answer-started', 'sources-found', 'text-delta']);
    expect(types.filter((type) => type === 'answer-completed')).toHaveLength(1);
    expect(frames[0]).toMatchObject({
      mode: 'extractive',
      question: { language: 'en' },
      knowledgeBase: 'shop',
    });

    const found = frames.find((frame) => frame.type === 'sources-found');
    expect(found?.sources.map(({ n, passageId }) => [n, passageId])).toEqual([
      [1, 'days'],
      [2, 'fees'],
    ]);
    expect(completed).toMatchObject({ status: 'answered', text, degraded: [] });
    expect(text).toContain('within 30 days');
    for (const { n, passageId, span, quote } of completed?.citations ?? []) {
      expect(passageId).toBe(found?.sources[n - 1]?.passageId);
      expect(found?.sources[n - 1]?.text).toContain(quote);
      expect(text.slice(...span)).not.toBe('');
    }
    expect(completed?.citations.length).toBeGreaterThan(0);
    expect(frames).toContainEqual(
      expect.objectContaining({ type: 'grounding-checked', verdict: 'supported' }),
    );

    expect(traces).toHaveLength(1);
    expect(traces[0]).toMatchObject({
      status: 'answered',
      threshold: 0.5,
      reranker: 'rerank',
      candidates: [{ decision: 'kept' }, { decision: 'kept' }, { decision: 'below-threshold' }],
    });
    expect(Object.keys(traces[0]?.timings ?? {})).toEqual(
      expect.arrayContaining(['understand', 'retrieve', 'rerank', 'firstToken', 'answer', 'total']),
    );
  });

  it('shows how a follow-up was understood, and searches for that', async () => {
    let searched = '';
    const { frames } = await run(
      'And to Hangzhou?',
      {
        retrieve: async ({ standalone }) => {
          searched = standalone;
          return { candidates: CANDIDATES, degraded: [] };
        },
      },
      { turns: [{ question: '', standalone: 'What does delivery cost?', answer: '' }] },
    );
    expect(searched).toBe('And to Hangzhou? (delivery cost)');
    expect(frames[0]).toMatchObject({ question: { text: 'And to Hangzhou?', standalone: searched } });
  });

  it('shows the prompt in the trace without personal data', async () => {
    server.respond({ steps: ['You have 30 days [1].'] });
    await run('How many days? I am ann@example.org', { answerer: modelAnswerer() });
    const prompt = JSON.stringify(traces[0]?.prompt);
    expect(prompt).toContain('[e-mail]');
    expect(prompt).not.toContain('ann@example.org');
  });

  it('streams what the language model writes, with citations in place of its markers, and its usage', async () => {
    server.respond({
      steps: ['You have 30', ' days [', '1]. Postage is ¥12 [2', '][8].'],
      usage: { prompt_tokens: 9, completion_tokens: 4 },
    });
    const { text, completed, frames } = await run('How many days?', { answerer: modelAnswerer() });
    expect(text).toBe('You have 30 days. Postage is ¥12.');
    expect(completed).toMatchObject({
      usage: { model: 'scripted', promptTokens: 9, completionTokens: 4 },
      citations: [
        { n: 1, passageId: 'days' },
        { n: 2, passageId: 'fees' },
      ],
    });
    expect(frames[0]).toMatchObject({ mode: 'model' });
    expect(traces[0]?.usage).toEqual(completed?.usage);
    expect(traces[0]?.cost).toBe(0.25);
    const prompt = traces[0]?.prompt ?? [];
    expect(prompt.map(({ role }) => role)).toEqual(['system', 'user']);
    expect(prompt[1]?.content).toContain('How many days?');
    const question = server.requests[0]?.body.messages.at(-1)?.content;
    expect(question).toContain('You may return an item within 30 days');
    expect(question).not.toContain('showroom');
  });

  it('says in the last frame and the trace that the model was cut off', async () => {
    server.respond({ steps: ['You have 30 days [1]. Also'], finish: 'length' });
    const { completed } = await run('How many days?', { answerer: modelAnswerer() });
    expect(completed).toMatchObject({ status: 'answered', cutOff: true });
    expect(traces[0]?.cutOff).toBe(true);
  });

  it('names every stage that was done without', async () => {
    const { completed } = await run('How many days?', {
      understand: async ({ text }) => ({
        question: { text, standalone: text, language: 'en' },
        isAngry: false,
        steps: [],
        degraded: ['rewrite'],
      }),
      retrieve: async () => ({ candidates: CANDIDATES, degraded: ['dense'] }),
      rerank: async () => ({ candidates: judge(['kept']), threshold: null, degraded: ['rerank'] }),
      writeTrace: () => Promise.reject(new Error('disk full')),
    });
    expect(completed).toMatchObject({
      status: 'answered',
      degraded: ['rewrite', 'dense', 'rerank', 'trace'],
    });
  });
});

describe('a question without an answer', () => {
  it.each([
    [
      'no-hits',
      {
        retrieve: async () => ({ candidates: [], degraded: [] }),
        rerank: async () => ({ candidates: [], threshold: 0.5, degraded: [] }),
      },
    ],
    ['below-threshold', { rerank: async () => ({ candidates: judge([]), threshold: 0.5, degraded: [] }) }],
    [
      'out-of-scope',
      {
        rerank: async () => ({
          candidates: judge(['kept']),
          threshold: 0.5,
          answerability: { probability: 0.2, threshold: 0.3, signals: SIGNALS },
          degraded: [],
        }),
      },
    ],
    ['dependency-down', { retrieve: () => Promise.reject(new AppError('unavailable')), rerank: notReached }],
  ] as const)('says so (%s), without the language model', async (reason, changes) => {
    const { completed, text, types } = await run('What is quux?', { answerer: modelAnswerer(), ...changes });
    expect(completed).toMatchObject({ status: 'no-answer', reason, text, citations: [] });
    expect(text).toContain(abstain({ reason, knowledgeBase, questionLanguage: 'en' }).text.split('\n')[0]);
    expect(types).not.toContain('sources-found');
    expect(server.requests).toHaveLength(0);
    expect(traces).toMatchObject([{ status: 'no-answer', reason }]);
  });

  it('shows in the trace how likely an answer was, and answers where it was likely enough', async () => {
    const answerability = { probability: 0.3, threshold: 0.3, signals: SIGNALS };
    const { completed } = await run('How long do I have?', {
      rerank: async () => ({ candidates: judge(['kept']), threshold: 0.5, answerability, degraded: [] }),
    });
    expect(completed).toMatchObject({ status: 'answered' });
    expect(traces[0]?.answerability).toEqual(answerability);
  });

  it('says what came nearest, in the text and in parts', async () => {
    const { completed, text } = await run('What is quux?', {
      rerank: async () => ({ candidates: judge([]), threshold: 0.5, degraded: [] }),
    });
    const [nearest] = completed?.abstention?.nearestTopics ?? [];
    expect(nearest).toMatchObject({ passageId: 'days', title: 'Returns' });
    expect(completed?.abstention?.handoffPhrase).toBe('talk to a human');
    expect(text).toContain('- Returns');
  });

  it('answers a red flag at once, before anything is searched for', async () => {
    const { completed, text } = await run('I smell gas!', { retrieve: notReached, rerank: notReached });
    expect(text).toBe('Leave now.');
    expect(completed).toMatchObject({ status: 'no-answer', reason: 'triage' });
  });

  it('hands over to a person who was asked for', async () => {
    const { types, text } = await run('I want to talk to a human', {
      retrieve: notReached,
      rerank: notReached,
    });
    expect(types).toEqual(['answer-started', 'handoff-requested', 'text-delta', 'answer-completed']);
    expect(text).toBe('A colleague comes.');
  });
});

describe('a question that fails', () => {
  it.each([
    ['the search', { retrieve: () => Promise.reject(new AppError('internal')) }, 'internal'],
    ['the reranking', { rerank: () => Promise.reject(new AppError('stopped')) }, 'stopped'],
  ] as const)('throws what %s threw, and leaves a trace', async (_, changes, code) => {
    const { failure, types } = await run('How many days?', changes);
    expect(failure).toMatchObject({ code });
    expect(types).not.toContain('answer-completed');
    expect(traces).toMatchObject([{ status: 'failed' }]);
  });

  it('throws when the language model breaks off, after the words that came', async () => {
    server.respond({ steps: ['You have 30', { hangUp: true }] });
    const { failure, text, types } = await run('How many days?', { answerer: modelAnswerer() });
    expect(failure).toMatchObject({ code: 'model-failed' });
    expect(text).toBe('You have 30');
    expect(types).not.toContain('answer-completed');
    expect(traces).toMatchObject([{ status: 'failed' }]);
  });

  it('throws when the language model gives nothing but markers', async () => {
    server.respond({ steps: ['[1]', '[2]'] });
    const { failure } = await run('How many days?', { answerer: modelAnswerer() });
    expect(failure).toMatchObject({ code: 'model-failed' });
  });

  it('stops when it is stopped, and so does the language model', async () => {
    server.respond({ steps: ['You have', { stall: true }] });
    const stop = new AbortController();
    const running = run('How many days?', { answerer: modelAnswerer() }, { signal: stop.signal });
    const request = await server.arrived(1);
    stop.abort();
    expect((await running).failure).toMatchObject({ code: 'stopped' });
    expect(await request.ended).toBe('cancelled');
  });

  it('lets go of the language model when nobody reads on', async () => {
    server.respond({ steps: ['You have', { stall: true }] });
    const ask: Ask = {
      conversationId: 'c',
      messageId: 'm',
      knowledgeBase,
      text: 'How?',
      images: [],
      turns: [],
      owner: 'local',
    };
    for await (const frame of answerQuestion(ask, stepsWith({ answerer: modelAnswerer() }), {
      signal: never,
    })) {
      if (frame.type === 'text-delta') break;
    }
    expect(await (await server.arrived(1)).ended).toBe('cancelled');
    expect(traces).toMatchObject([{ status: 'failed' }]);
  });
});

describe('a curated answer to the very question', () => {
  const curated = candidate('faq', 'Yes, until 16:00.', 1);

  it('is given at once, as it stands, cited whole, and shown as such', async () => {
    const hit = { candidate: curated, asked: 'Can I order today?', score: 0.97 };
    const { frames, completed, types } = await run('Can I order today', {
      findCurated: async () => hit,
      rerank: notReached,
    });
    expect(types).toEqual([
      'answer-started',
      'sources-found',
      'text-delta',
      'citation-added',
      'answer-completed',
    ]);
    expect(frames[1]).toMatchObject({ curated: true, sources: [{ n: 1, text: 'Yes, until 16:00.' }] });
    expect(completed).toMatchObject({
      status: 'answered',
      text: 'Yes, until 16:00.',
      citations: [{ n: 1, span: [0, 17], quote: 'Yes, until 16:00.' }],
    });
    expect(traces[0]).toMatchObject({
      understanding: expect.arrayContaining([
        { step: 'faq', before: 'Can I order today', after: 'Can I order today?', ms: expect.any(Number) },
      ]),
      candidates: [{ decision: 'kept' }, { decision: 'limit' }, { decision: 'limit' }, { decision: 'limit' }],
    });
  });
});

describe('a picture', () => {
  const images = ['data:image/png;base64,iVBORw0KGgo='];

  it('is refused clearly where no model sees, before anything is searched for', async () => {
    for (const answerer of [createExtractiveAnswerer({ analyzer }), modelAnswerer()]) {
      const { completed, text } = await run('这是什么？', { answerer, retrieve: notReached }, { images });
      expect(completed).toMatchObject({ status: 'no-answer', reason: 'no-vision', text });
      expect(text).toContain('看不了图片');
    }
    expect(server.requests).toHaveLength(0);
  });

  it('goes to the model that sees, with the passages', async () => {
    server.respond({ steps: ['You may return it within 30 days [1].'] });
    const { completed } = await run(
      'May I return this?',
      { answerer: modelAnswerer({ sees: true }) },
      { images },
    );
    expect(completed?.status).toBe('answered');
    const content = server.requests[0]?.body.messages.at(-1)?.content;
    expect(content).toContainEqual({ type: 'image_url', image_url: { url: images[0] } });
    expect(JSON.stringify(content)).toContain('within 30 days of delivery');
  });
});

describe('a knowledge base that is careful', () => {
  it('withholds a dose that no passage names, and the trace counts it', async () => {
    server.respond({ steps: ['Take 80', '0 m', 'g now [1]. Return postage costs ¥12 [2].'] });
    const careful = { ...knowledgeBase, doses: 'passages-only' as const };
    const { text } = await run('How much?', { answerer: modelAnswerer() }, { knowledgeBase: careful });
    expect(text).not.toContain('800');
    expect(text).toContain('dose withheld');
    expect(text).toContain('¥12');
    expect(traces[0]?.withheldDoses).toBe(1);
  });

  it('says its disclaimer in every answer, in the language of the question', async () => {
    const disclaimer = { en: 'No diagnosis.', zh: '不作诊断。' };
    const careful = { ...knowledgeBase, disclaimer };
    for (const [text, said] of [
      ['How many days?', 'No diagnosis.'],
      ['几天可以退货？', '不作诊断。'],
      ['幾天可以退貨？', '不作診斷。'],
    ] as const) {
      const { frames } = await run(text, {}, { knowledgeBase: careful });
      expect(frames[0]).toMatchObject({ type: 'answer-started', disclaimer: said });
    }
  });

  it('asks back for what is missing, one thing at a time, without a search', async () => {
    const careful = {
      ...knowledgeBase,
      clarify: [
        {
          id: 'age',
          when: { en: ['fever'], zh: [] },
          filledBy: { en: ['years old'], zh: [] },
          ask: { en: 'How old is the person?' },
        },
      ],
    };
    const { completed } = await run('I have a fever', { retrieve: notReached }, { knowledgeBase: careful });
    expect(completed).toMatchObject({ reason: 'clarification', text: 'How old is the person?' });
  });
});

describe('a question in traditional characters', () => {
  it('gets our own words in traditional characters, and quotes as they stand', async () => {
    const abstained = await run('退貨要多久？', {
      retrieve: async () => ({ candidates: [], degraded: [] }),
      rerank: async () => ({ candidates: [], threshold: 0.5, degraded: [] }),
    });
    expect(abstained.text).toContain('沒有找到與此有關的內容');
    const chinese = candidate('zh', '收到商品后30天内可以退货。', 1);
    const { text } = await run('退貨要幾天內？', {
      retrieve: async () => ({ candidates: [chinese], degraded: [] }),
      rerank: async () => ({
        candidates: [{ ...chinese, decision: 'kept' as const }],
        threshold: 0.5,
        degraded: [],
      }),
    });
    expect(text).toContain('收到商品后30天内可以退货');
  });
});
