import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SHARED = join(ROOT, '../shared/data');

export interface BenchTexts {
  source: string;
  questions: string[];
  /** 100 passages, Chinese and English in turn, short to long. */
  passages: string[];
}

const COUNT = 100;

/** Public question-answering paragraphs where they are at hand, else the knowledge bases that ship. */
export function readBenchTexts(): BenchTexts {
  const isShared = existsSync(join(SHARED, 'xquad-zh/corpus.jsonl'));
  const [chinese, english] = isShared
    ? [readCorpus('xquad-zh'), readCorpus('xquad-en')]
    : [readKnowledge('zh'), readKnowledge('en')];
  const passages = Array.from({ length: COUNT }, (_, index) => {
    const isChinese = index % 2 === 0;
    const text = (isChinese ? chinese : english)[index % 50] ?? '';
    // From a line to the whole paragraph: what a mixed knowledge base holds.
    const share = 0.15 + 0.85 * (((index * 37) % COUNT) / COUNT);
    return text.slice(0, Math.round(text.length * share));
  });
  return {
    source: isShared ? 'XQuAD paragraphs, Chinese and English' : 'the knowledge bases that ship',
    questions: ['什么时候可以退货，需要多少天？', 'How long does it take until the refund arrives?'],
    passages,
  };
}

function readCorpus(name: string): string[] {
  return readFileSync(join(SHARED, name, 'corpus.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { text: string }).text);
}

function readKnowledge(language: string): string[] {
  const dir = join(ROOT, 'knowledge/shop-support', language);
  return readdirSync(dir)
    .filter((name) => name.endsWith('.md'))
    .flatMap((name) => readFileSync(join(dir, name), 'utf8').split(/\n(?=## )/))
    .map((text) => text.slice(0, 1500));
}
