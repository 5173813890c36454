import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type App, createApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import type { Logger } from '../../src/telemetry/logger.js';
import { silentLogger } from './silent-logger.js';
import { TINY_EMBEDDER, TINY_RERANKER, writeTinyModels } from './tiny-models.js';

export const ROOT_DIR = fileURLToPath(new URL('../..', import.meta.url));

/** Small, bilingual, and enough to be asked about. Paths are below the knowledge folder. */
export const SAMPLE_KNOWLEDGE: Record<string, string> = {
  'shop/kb.yaml': [
    'title: {en: Shop support, zh: 商店客服}',
    'description: {en: Orders and returns, zh: 订单与退货}',
    'starters: {en: [How long do I have to return something?], zh: [多久可以退货？]}',
    'synonyms: [[return, 退货]]',
    'triage:',
    '  - id: chest-pain',
    '    phrases: {en: [chest pain], zh: [胸痛]}',
    '    answer: {en: Call an ambulance at once., zh: 请立即拨打120。}',
    'handoff: {phrases: {en: [talk to a human], zh: [转人工]}, message: {en: A colleague will join., zh: 同事马上来。}}',
  ].join('\n'),
  'shop/en/returns.md': [
    '# Returns',
    '## How long you have',
    'You have 30 days to return an item. The days count from delivery. Opened headphones can not be returned.',
    '## What a return costs',
    'Sending a return back costs 4 euros. A faulty item is returned free of charge.',
  ].join('\n\n'),
  'shop/en/shipping.md': [
    '# Shipping',
    '## Delivery times',
    'Parcels arrive within 3 working days. Express parcels arrive the next working day.',
  ].join('\n\n'),
  'shop/zh/returns.md': [
    '# 退货',
    '## 退货期限',
    '收到商品后30天内可以退货。拆封的耳机不能退货。',
    '## 退货运费',
    '退货运费为4欧元。质量问题由我们承担运费。',
  ].join('\n\n'),
  'other/kb.yaml': 'title: {en: Something else}',
  'other/notes.txt': 'The cellar door is green.',
};

export interface TestAppOptions {
  /** Environment variables beside those that make it small and local. */
  env?: Record<string, string>;
  /** Files of the knowledge folder; `SAMPLE_KNOWLEDGE` where absent. A string: an existing folder. */
  knowledge?: Record<string, string> | string;
  /** A folder of an earlier test app, to start again on what it wrote. */
  dir?: string;
  logger?: Logger;
  onProgress?: NonNullable<Parameters<typeof createApp>[1]['onProgress']>;
}

export interface TestApp {
  app: App;
  url: string;
  /** Everything it writes, and its knowledge and models. */
  dir: string;
  /** Stops the server; the folder stays for the next start where `keep` is set. */
  close(options?: { keep?: boolean; drainMs?: number }): Promise<void>;
}

/** The real app on a free port, with tiny models and a folder of its own, its knowledge read. */
export async function startTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'askbase-app-'));
  const { knowledge = SAMPLE_KNOWLEDGE } = options;
  if (options.dir === undefined) {
    writeTinyModels(join(dir, 'models'));
    if (typeof knowledge !== 'string') writeFiles(join(dir, 'knowledge'), knowledge);
  }
  const config = readConfig(
    {
      PORT: '0',
      DATA_DIR: join(dir, 'data'),
      MODELS_DIR: join(dir, 'models'),
      KNOWLEDGE_DIR: typeof knowledge === 'string' ? knowledge : join(dir, 'knowledge'),
      EMBED_MODEL: TINY_EMBEDDER,
      RERANK_MODEL: TINY_RERANKER,
      EMBED_DEVICE: 'cpu',
      RERANK_DEVICE: 'cpu',
      ...options.env,
    },
    ROOT_DIR,
  );
  const app = await createApp(config, {
    logger: options.logger ?? silentLogger,
    version: '0.0.0-test',
    browserDir: join(ROOT_DIR, 'dist'),
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  });
  const { url } = await app.listen();
  await app.knowledgeRead();
  return {
    app,
    url,
    dir,
    async close({ keep = false, drainMs = 0 } = {}) {
      await app.close({ drainMs });
      if (!keep) rmSync(dir, { recursive: true, force: true });
    },
  };
}

export function writeFiles(dir: string, files: Record<string, string>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  }
}
