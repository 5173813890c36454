import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createInferenceEngine, type InferenceEngine } from '../../src/inference/inference-engine.js';
import { silentLogger } from '../support/silent-logger.js';

const MODELS = fileURLToPath(new URL('../../models/', import.meta.url));
const EMBEDDER = 'askbase-embed-small';
const RERANKER = 'askbase-rerank-small';

const { signal } = new AbortController();
let engine: InferenceEngine;

beforeAll(async () => {
  engine = await createInferenceEngine({
    modelsDir: MODELS,
    models: [
      { name: EMBEDDER, kind: 'embedder', device: 'cpu' },
      { name: RERANKER, kind: 'reranker', device: 'cpu' },
    ],
    logger: silentLogger,
  });
  await engine.loaded();
});
afterAll(() => engine.close());

/** What is asked, what answers it, and what is about something else. */
const CASES: [languages: string, question: string, relevant: string, irrelevant: string][] = [
  [
    'Chinese',
    '耳机可以退货吗？',
    '商品签收后七天内，耳机在包装完好的情况下可以退货，运费由买家承担。',
    '本店的电热水壶容量为一点五升，采用食品级不锈钢内胆，支持防干烧。',
  ],
  [
    'Chinese',
    '高血压患者能喝咖啡吗？',
    '高血压患者可以少量喝咖啡，但血压控制不好时应避免，因为咖啡因会使血压短暂升高。',
    '低血糖患者应随身携带糖果，出现头晕时及时补充糖分。',
  ],
  [
    'English',
    'How do I reset the router?',
    'To reset the router, hold the reset button on the back for ten seconds until the light blinks.',
    'Our office is open from Monday to Friday and closed on public holidays.',
  ],
  [
    'English',
    'What is the warranty on the kettle?',
    'The kettle has a warranty of two years. Damage by limescale is not covered.',
    'The speaker is delivered within three days. Delivery is free from 50 dollars.',
  ],
  [
    'simplified Chinese about traditional',
    '软件怎么安装？',
    '軟件安裝：下載安裝包，雙擊打開，按照提示完成安裝。',
    '會員積分每年年底清零，積分不能兌換現金。',
  ],
  [
    'English about Chinese',
    'how long does delivery take',
    '配送一般需要三到五天，偏远地区配送时间更长。',
    '会员积分每年年底清零，积分不能兑换现金。',
  ],
];

describe.each(CASES)('the bundled models, %s: %s', (_languages, question, relevant, irrelevant) => {
  test('rank the passage that answers above one that does not', async () => {
    const [first, second] = await engine.rerank(RERANKER, question, [relevant, irrelevant], { signal });
    expect(first?.logit).toBeGreaterThan(second?.logit ?? Number.NaN);
  });

  test('place the question nearer to the passage that answers', async () => {
    const [asked] = await engine.embed(EMBEDDER, [question], { kind: 'query', signal });
    const passages = await engine.embed(EMBEDDER, [relevant, irrelevant], { kind: 'passage', signal });
    const [near, far] = passages.map((passage) => dot(asked as Float32Array, passage));
    expect(near).toBeGreaterThan(far as number);
  });
});

test.each([EMBEDDER, RERANKER])('%s is at most 16 MB on disk, with a card that names its data', (name) => {
  const manifest = JSON.parse(readFileSync(`${MODELS}${name}/manifest.json`, 'utf8'));
  const files = [...manifest.files.map(({ path }: { path: string }) => path), manifest.tokenizer.path];
  const bytes = files.reduce((sum, file) => sum + statSync(`${MODELS}${name}/${file}`).size, 0);
  expect(bytes).toBeLessThanOrEqual(16e6);
  expect(existsSync(`${MODELS}${name}/README.md`)).toBe(true);
  expect(readFileSync(`${MODELS}${name}/README.md`, 'utf8')).toContain('## Data');
});

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);
}
