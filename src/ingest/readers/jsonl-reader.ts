import { type Reading, UnreadableError } from '../source-document.js';
import { rowToBlock } from './question-answer-columns.js';

/** One JSON object per line: question-answer pairs, or records of any fields. */
export function readJsonLines(text: string): Reading {
  const blocks = text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const block = rowToBlock(toNamedValues(parseLine(line, index + 1)));
    return block === null ? [] : [block];
  });
  return { blocks };
}

function parseLine(line: string, number: number): object {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new UnreadableError(`line ${number} is not valid JSON`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UnreadableError(`line ${number} is not a JSON object`);
  }
  return value;
}

function toNamedValues(object: object): [string, string][] {
  return Object.entries(object).map(([name, value]) => [name, toText(value)]);
}

function toText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) return value.join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
