import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelManifestSchema } from '../../src/inference/model-manifest.js';
import type { Measure } from '../../src/learn/answer-evaluation.js';
import type { FinishedCommand } from '../support/command.js';
import { createInstallation, type Installation } from '../support/installation.js';
import { TINY_RERANKER } from '../support/tiny-models.js';

const SUBJECTS =
  'kettle toaster lamp blender grinder heater mixer juicer scale freezer oven hood fridge washer dryer vacuum fan radio clock stove';

/** Each question shares its subject and its verb with one document, its verb with many. */
const lines = (make: (subject: string, index: number) => object): string =>
  SUBJECTS.split(' ')
    .flatMap((subject, index) =>
      [0, 1].map((half) => JSON.stringify(make(`${subject}${half}x`, 2 * index + half))),
    )
    .join('\n');
const verbOf = (index: number): string => ['cleaned', 'repaired', 'returned'][index % 3] as string;
const SET = {
  'set/corpus.jsonl': lines((subject, index) => ({
    _id: `d${index}`,
    text: `The ${subject} is ${verbOf(index)} in ${index + 2} days.`,
  })),
  'set/queries.jsonl': lines((subject, index) => ({
    _id: `q${index}`,
    text: `How is the ${subject} ${verbOf(index)}?`,
  })),
  'set/qrels.tsv': Array.from({ length: 40 }, (_, index) => `q${index}\td${index}\t1`).join('\n'),
};

/** The same with eight questions that fit no document more than others. */
const VAGUE = Array.from({ length: 8 }, (_, index) => ({
  question: { _id: `v${index}`, text: `How is the ${verbOf(index)} thing ${verbOf(index + 1)}?` },
  judgement: `v${index}\td${index}\t1`,
}));
const VAGUE_SET = {
  'vague/corpus.jsonl': SET['set/corpus.jsonl'],
  'vague/queries.jsonl': [
    SET['set/queries.jsonl'],
    ...VAGUE.map(({ question }) => JSON.stringify(question)),
  ].join('\n'),
  'vague/qrels.tsv': [SET['set/qrels.tsv'], ...VAGUE.map(({ judgement }) => judgement)].join('\n'),
};

describe('askbase calibrate', () => {
  let installation: Installation;
  beforeAll(() => {
    installation = createInstallation({
      ...SET,
      ...VAGUE_SET,
      'knowledge/shop/kb.yaml': '# Ours\ntitle: { en: Shop }\nthreshold: 0.4 # too low\n',
      'knowledge/shop/en.md': '# Shop\n\nOpen daily.\n',
    });
  });
  afterAll(() => installation.remove());

  const calibrate = (...args: string[]): Promise<FinishedCommand> =>
    installation.askbase(['calibrate', 'set', ...args]);

  const manifestFile = () => join(installation.dir, 'models', TINY_RERANKER, 'manifest.json');
  const manifest = () => {
    const read = modelManifestSchema.parse(JSON.parse(readFileSync(manifestFile(), 'utf8')));
    if (read.kind !== 'reranker') throw new Error(`${TINY_RERANKER} is no reranker.`);
    return read;
  };

  it('tells answerable questions from others, lowers the calibration error, and writes what it found', {
    timeout: 300_000,
  }, async () => {
    const { code, stdout, stderr } = await calibrate(
      '--precision',
      '0.9',
      '--write',
      'threshold',
      'answerability',
      'lexicalWeight',
      '--json',
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { calibrations } = JSON.parse(stdout);
    expect(calibrations.zh).toBeUndefined();
    expect(calibrations.en.questions).toBe(40);
    const { auroc, calibrationError, threshold, answered } = calibrations.en;
    expect(auroc.answerability).toBeGreaterThan(0.9);
    expect(calibrationError.after).toBeLessThan(calibrationError.before);
    expect(threshold.precision).toBeGreaterThanOrEqual(0.85);
    expect(answered.coverage).toBeGreaterThan(0.3);
    const { ndcg } = calibrations.en.lexicalWeight;
    expect(ndcg.with).toBeGreaterThanOrEqual(ndcg.without);
    expect(manifest()).toMatchObject({
      threshold: { en: threshold.threshold, zh: 0.5 },
      answerability: { en: calibrations.en.answerability },
      lexicalWeight: { en: calibrations.en.lexicalWeight.weight },
    });
  });

  it('has eval answers name the cut at which 0.95 of the answers are right, and what it answers there', {
    timeout: 300_000,
  }, async () => {
    const { answerability, ...rest } = manifest();
    const measureAt = async (threshold: number) => {
      const en = { ...answerability?.en, threshold };
      writeFileSync(manifestFile(), JSON.stringify({ ...rest, answerability: { ...answerability, en } }));
      const command = 'eval answers abstention --sets vague --json';
      const { code, stdout } = await installation.askbase(command.split(' '));
      expect(code).toBe(0);
      const measures: Measure[] = JSON.parse(stdout).abstention;
      return (name: string) =>
        measures.find((one) => one.name === name && one.group === 'vague')?.mean ?? Number.NaN;
    };
    const everything = await measureAt(0);
    expect(everything('answered-precision')).toBeLessThan(0.95);
    const wanted = everything('coverage:precision-0.95');
    expect(wanted).toBeGreaterThan(0.3);
    expect(wanted).toBeLessThanOrEqual(everything('coverage'));

    const there = await measureAt(everything('cut:precision-0.95'));
    expect(there('coverage')).toBe(wanted);
    expect(there('answered-precision')).toBeGreaterThanOrEqual(0.95);
  });

  it('writes a threshold into kb.yaml, whose comments stay', { timeout: 300_000 }, async () => {
    const { code, stdout } = await calibrate('--abstention', '0.5', '--kb', 'shop');
    expect(code).toBe(0);
    expect(stdout).toMatch(/calibration error +0\.\d+ before, 0\.\d+ after/);
    const text = readFileSync(join(installation.dir, 'knowledge/shop/kb.yaml'), 'utf8');
    expect(text).toMatch(/^# Ours\ntitle: .+\n(.*\n)*threshold:\s+\S*\s*en: 0\.\d+,?\s+zh: 0\.4/);
  });

  it('refuses a goal that is none', async () => {
    expect(await calibrate('--precision', 'high')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--precision'),
    });
    expect(await calibrate('--precision', '0.9', '--abstention', '0.1')).toMatchObject({ code: 2 });
  });
});
