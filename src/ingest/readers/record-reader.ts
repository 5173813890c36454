import { cleanText } from '../clean-text.js';
import type { Block, Reading } from '../source-document.js';
import { toLanguage } from './front-matter.js';
import { readObject } from './jsonl-reader.js';
import { readPlainText } from './plain-text-reader.js';
import {
  type ColumnRole,
  isWebAddress,
  type NamedValues,
  roleOf,
  rowToBlock,
  splitTags,
  valueFor,
} from './question-answer-columns.js';

/** What says something about the document, and is not its text. */
const ABOUT: ReadonlySet<ColumnRole | undefined> = new Set(['id', 'title', 'url', 'tags', 'language']);

/**
 * One JSON object that is a document by itself. A question with its answer is a curated pair; else the text is the field
 * named so, and every other field a `name: value` line after it.
 */
export function readRecord(json: string): Reading {
  const fields = readObject(json);
  const title = valueFor(fields, 'title');
  const url = valueFor(fields, 'url').trim();
  const language = valueFor(fields, 'language');
  return {
    ...(title === '' ? {} : { title }),
    ...(isWebAddress(url) ? { url } : {}),
    ...(language === '' ? {} : { language: toLanguage(language) }),
    tags: splitTags(valueFor(fields, 'tags')),
    blocks: toBlocks(fields),
  };
}

function toBlocks(fields: NamedValues): Block[] {
  const pair = rowToBlock(fields);
  if (pair?.type === 'faq') return [pair];
  const text = valueFor(fields, 'text');
  const others = fields.filter(([name, value]) => {
    const role = roleOf(name);
    return value !== '{}' && !ABOUT.has(role) && !(role === 'text' && value === text);
  });
  const record = rowToBlock(others);
  return [...readPlainText(cleanText(text)).blocks, ...(record === null ? [] : [record])];
}
