import { type Reading, UnreadableError } from '../source-document.js';
import { type NamedValues, rowToBlock } from './question-answer-columns.js';

/** One JSON object per line: question-answer pairs, or records of any fields. */
export function readJsonLines(text: string): Reading {
  const blocks = text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const block = rowToBlock(atLine(index + 1, () => readObject(line)));
    return block === null ? [] : [block];
  });
  return { blocks };
}

/**
 * The fields of a JSON object as text, in their order.
 *
 * @throws UnreadableError where it is not JSON, or no object
 */
export function readObject(json: string): NamedValues {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new UnreadableError('is not valid JSON', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UnreadableError('is not a JSON object');
  }
  return Object.entries(value).map(([name, field]) => [name, toText(field)]);
}

function atLine<T>(number: number, run: () => T): T {
  try {
    return run();
  } catch (thrown) {
    if (!(thrown instanceof UnreadableError)) throw thrown;
    throw new UnreadableError(`line ${number} ${thrown.message}`, { cause: thrown.cause });
  }
}

function toText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) return value.join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
