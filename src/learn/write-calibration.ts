import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../errors.js';
import { modelManifestSchema } from '../inference/model-manifest.js';
import type { Language } from '../types.js';
import type { LanguageCalibration } from './calibrate.js';

export type Calibrations = Partial<Record<Language, LanguageCalibration>>;
export const CALIBRATED = ['threshold', 'answerability', 'lexicalWeight'] as const;
export type Calibrated = (typeof CALIBRATED)[number];

/**
 * Writes cuts, models and weights of the calibrated languages into a reranker's manifest; other languages keep theirs.
 *
 * @throws AppError `invalid` where the model is no reranker
 */
export async function writeToManifest(
  modelDir: string,
  calibrations: Calibrations,
  what: readonly Calibrated[],
): Promise<void> {
  const path = join(modelDir, 'manifest.json');
  const written = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  const manifest = modelManifestSchema.parse(written);
  if (manifest.kind !== 'reranker') throw new AppError('invalid', `${manifest.name} is no reranker.`);
  if (what.includes('threshold')) {
    written.threshold = { ...perLanguage(manifest.threshold), ...thresholdsOf(calibrations) };
  }
  if (what.includes('answerability')) {
    written.answerability = {
      ...manifest.answerability,
      ...ofEach(calibrations, ({ answerability }) => answerability),
    };
  }
  if (what.includes('lexicalWeight')) {
    written.lexicalWeight = {
      ...perLanguage(manifest.lexicalWeight ?? {}),
      ...ofEach(calibrations, ({ lexicalWeight }) => lexicalWeight.weight),
    };
  }
  modelManifestSchema.parse(written);
  await writeFile(path, `${JSON.stringify(written, null, 2)}\n`);
}

function ofEach<Value>(
  calibrations: Calibrations,
  pick: (calibration: LanguageCalibration) => Value,
): Partial<Record<Language, Value>> {
  return Object.fromEntries(
    Object.entries(calibrations).map(([language, calibration]) => [language, pick(calibration)]),
  );
}

export function perLanguage(value: number | Partial<Record<Language, number | undefined>>) {
  return typeof value === 'number' ? { en: value, zh: value } : value;
}

export function thresholdsOf(calibrations: Calibrations): Partial<Record<Language, number>> {
  return Object.fromEntries(
    Object.entries(calibrations).flatMap(([language, { threshold }]) =>
      threshold === null ? [] : [[language, threshold.threshold]],
    ),
  );
}
