import { findPersonalData, toHalfWidth } from '../personal-data.js';

const MASK = '[redacted]';

/** Names of fields whose value is a secret whatever it looks like. */
const SECRET_NAME =
  /^(?:authorization|proxy-authorization|cookie|set-cookie|password|passwd|secret|token|.*(?:api[-_]?key|apikey|secret|password|access[-_]?token))$/i;

const SECRETS: readonly { name: string; pattern: RegExp }[] = [
  { name: 'token', pattern: /\b(?:bearer|basic)\s+[\w.~+/-]{8,}=*/gi },
  { name: 'token', pattern: /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g },
  { name: 'key', pattern: /\b(?:sk|pk|rk|ask|ghp|gho|hf|xox[abp])[-_][\w-]{12,}/g },
  {
    name: 'key',
    pattern: /(?<=\b(?:api[-_]?key|access[-_]?token|password|secret)["']?\s*[=:]\s*["']?)[^\s"',;&]{4,}/gi,
  },
  { name: 'key', pattern: /(?<=:\/\/)[^\s/@:]{1,64}:[^\s/@]{1,128}(?=@)/g },
];

/** The text without secrets and personal data: keys, tokens, and what `findPersonalData` finds. */
export function redactText(text: string): string {
  let redacted = toHalfWidth(text);
  let found = false;
  for (const { name, pattern } of SECRETS) {
    redacted = redacted.replace(pattern, () => {
      found = true;
      return `[${name}]`;
    });
  }
  for (const { kind, start, end } of findPersonalData(redacted).reverse()) {
    found = true;
    redacted = `${redacted.slice(0, start)}[${kind}]${redacted.slice(end)}`;
  }
  return found ? redacted : text;
}

/** Names of fields that hold no words: ids, hashes and times stay as they are. */
const NO_WORDS = /^(?:id|[a-z]+Id|contentHash|at|[a-z]+At)$/;

/** The same value with every text in it redacted. */
export function redactTexts<T>(value: T, name = ''): T {
  if (typeof value === 'string') return (NO_WORDS.test(name) ? value : redactText(value)) as T;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => redactTexts(item, name)) as T;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactTexts(item, key)])) as T;
}

const MAX_DEPTH = 6;
const MAX_ITEMS = 100;
const MAX_LENGTH = 4000;

/** Any value as plain JSON without secrets: bounded in depth and size, errors with their causes. Never throws. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return shorten(redactText(value.slice(0, 2 * MAX_LENGTH)));
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'function' || typeof value === 'symbol') return `[${typeof value}]`;
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[deeper]';
  if (value instanceof Error) return redactError(value, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Map || value instanceof Set) return redact([...value], depth);
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => redact(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, MAX_ITEMS)
      .map(([name, item]) => [name, SECRET_NAME.test(name) ? MASK : redact(item, depth + 1)]),
  );
}

/** Only what we know to be ours: vendors hang whole requests, with their headers, on their errors. */
function redactError(error: Error & { code?: unknown }, depth: number): object {
  return {
    name: error.name,
    message: redact(error.message),
    ...(typeof error.code === 'string' ? { code: error.code } : {}),
    stack: redact(error.stack ?? ''),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }),
  };
}

function shorten(text: string): string {
  return text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH)}… (cut)`;
}
