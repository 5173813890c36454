import { readFile, writeFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import { AppError } from '../errors.js';
import { knowledgeBaseConfigSchema } from '../ingest/knowledge-base.js';
import { type Calibrations, perLanguage, thresholdsOf } from './write-calibration.js';

/** Writes the thresholds into a `kb.yaml`, whose comments stay. Throws AppError `not-found` where there is none. */
export async function writeToKnowledgeBase(path: string, calibrations: Calibrations): Promise<void> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new AppError('not-found', `There is no ${path}.`, { cause });
  });
  const document = parseDocument(text);
  const { threshold } = knowledgeBaseConfigSchema.parse(document.toJS());
  document.set('threshold', { ...perLanguage(threshold ?? {}), ...thresholdsOf(calibrations) });
  await writeFile(path, document.toString());
}
