import { cleanText } from '../clean-text.js';
import type { Block, FaqBlock } from '../source-document.js';

const COLUMN_NAMES = {
  question: ['question', 'q', '问题', '提问', '问'],
  answer: ['answer', 'a', '答案', '回答', '答复', '答'],
  url: ['url', 'link', '链接', '网址'],
  tags: ['tags', 'tag', '标签'],
  id: ['id', '_id', '编号'],
  title: ['title', '标题'],
  text: ['text', 'content', 'body', '正文', '内容'],
  language: ['language', 'lang', '语言'],
} as const;

export type ColumnRole = keyof typeof COLUMN_NAMES;

/** A cell of a table or a value of a JSON object, by the column's or field's name. */
export type NamedValues = readonly (readonly [name: string, value: string])[];

/** A row with a question and an answer becomes a curated pair, any other row `name: value` lines. */
export function rowToBlock(row: NamedValues): Block | null {
  const cleaned = row.map(([name, value]) => [cleanText(name).trim(), cleanText(value).trim()] as const);
  return toFaq(cleaned) ?? toRecord(cleaned);
}

function toFaq(row: NamedValues): FaqBlock | null {
  const question = valueFor(row, 'question');
  const answer = valueFor(row, 'answer');
  if (question === '' || answer === '') return null;
  const url = valueFor(row, 'url');
  return {
    type: 'faq',
    question,
    answer,
    ...(isWebAddress(url) ? { url } : {}),
    tags: splitTags(valueFor(row, 'tags')),
  };
}

export function isWebAddress(text: string): boolean {
  return /^https?:\/\/\S+$/.test(text);
}

export function splitTags(list: string): string[] {
  return list
    .split(/[,，;；、|\n]/)
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
}

export function roleOf(name: string): ColumnRole | undefined {
  const roles = Object.keys(COLUMN_NAMES) as ColumnRole[];
  return roles.find((role) => isNameOf(role, name));
}

function isNameOf(role: ColumnRole, name: string): boolean {
  const names: readonly string[] = COLUMN_NAMES[role];
  return names.includes(name.toLowerCase());
}

function toRecord(row: NamedValues): Block | null {
  const lines = row
    .filter(([, value]) => value !== '')
    .map(([name, value]) => (name === '' ? value : `${name}: ${value}`));
  return lines.length === 0 ? null : { type: 'record', text: lines.join('\n') };
}

export function valueFor(row: NamedValues, role: ColumnRole): string {
  return row.find(([name]) => isNameOf(role, name))?.[1] ?? '';
}
