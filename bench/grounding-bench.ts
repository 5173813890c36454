/**
 * How long the grounding check holds up the text it follows: answers of sentences from the demo knowledge, written a
 * few characters at a time against eight passages, and the processor time of each call that gave a verdict: that of the
 * whole process, its garbage collection included, so that a busy machine changes little.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createGrounding } from '../src/ground/citation-grounding.js';
import { detectLanguage } from '../src/language.js';
import { makeGroundingCases } from '../src/learn/grounding-set.js';
import { toPassages } from '../src/learn/index-dataset.js';
import { createAnalyzer } from '../src/retrieve/analyzer.js';

const ROOT = new URL('../knowledge', import.meta.url).pathname;
const CASES = 400;
const CHARACTERS_PER_DELTA = 4;
/** Passages handed to a model at most, by the default budget. */
const SOURCES = 8;

const passages = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.md') && file.includes('/'))
  .flatMap((file) =>
    toPassages({ id: file, title: file, text: readFileSync(join(ROOT, file), 'utf8') }, 'bench'),
  );
const ground = createGrounding({ analyzer: createAnalyzer() });
const cases = makeGroundingCases({ name: 'knowledge', passages, names: new Map() }, CASES / 4).slice(
  0,
  CASES,
);

/** Milliseconds of the calls that gave a verdict, and of those that only gave text. */
const times: Record<'en' | 'zh', { verdicts: number[]; text: number[] }> = {
  en: { verdicts: [], text: [] },
  zh: { verdicts: [], text: [] },
};
for (const { answer, sources } of cases) {
  const further = passages
    .filter(
      ({ id, language }) =>
        language === detectLanguage(answer) && !sources.some(({ passageId }) => passageId === id),
    )
    .slice(0, SOURCES - sources.length)
    .map((passage, index) => ({
      ...passage,
      n: sources.length + index + 1,
      passageId: passage.id,
      scores: { fused: { score: 0, rank: sources.length + index + 1 } },
    }));
  const grounding = ground([...sources, ...further]);
  // The model thinks for longer than the passages take to be read.
  await new Promise((resolve) => setTimeout(resolve, 60));
  const { verdicts, text } = times[detectLanguage(answer)];
  const timed = (run: () => { type: string }[]): void => {
    const start = process.cpuUsage();
    const frames = run();
    const { user, system } = process.cpuUsage(start);
    const milliseconds = (user + system) / 1000;
    (frames.some(({ type }) => type === 'grounding-checked') ? verdicts : text).push(milliseconds);
  };
  for (let at = 0; at < answer.length; at += CHARACTERS_PER_DELTA) {
    timed(() => grounding.push(answer.slice(at, at + CHARACTERS_PER_DELTA)));
  }
  timed(() => grounding.finish());
}

for (const [language, { verdicts, text }] of Object.entries(times)) {
  console.log(`${language}  a verdict  ${summary(verdicts)}`);
  console.log(`${language}  other text ${summary(text)}`);
}

function summary(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (quantile: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))] ?? 0).toFixed(2).padStart(7);
  return `median ${at(0.5)} ms  p95 ${at(0.95)} ms  p99 ${at(0.99)} ms  most ${at(1)} ms  (${values.length})`;
}
