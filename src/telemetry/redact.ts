const MASK = '[redacted]';

/** Names of fields whose value is a secret whatever it looks like. */
const SECRET_NAME =
  /^(?:authorization|proxy-authorization|cookie|set-cookie|password|passwd|secret|token|.*(?:api[-_]?key|apikey|secret|password|access[-_]?token))$/i;

/** Digits with a space or hyphen now and then, as cards and phones are written; none of our ids look like that. */
const PATTERNS: readonly { name: string; pattern: RegExp; holds?: (match: string) => boolean }[] = [
  { name: 'token', pattern: /\b(?:bearer|basic)\s+[\w.~+/-]{8,}=*/gi },
  { name: 'token', pattern: /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g },
  { name: 'key', pattern: /\b(?:sk|pk|rk|ask|ghp|gho|hf|xox[abp])[-_][\w-]{12,}/g },
  {
    name: 'key',
    pattern: /(?<=\b(?:api[-_]?key|access[-_]?token|password|secret)["']?\s*[=:]\s*["']?)[^\s"',;&]{4,}/gi,
  },
  { name: 'key', pattern: /(?<=:\/\/)[^\s/@:]{1,64}:[^\s/@]{1,128}(?=@)/g },
  { name: 'e-mail', pattern: /[\w.+-]{1,64}@[a-z\d-]{1,63}(?:\.[a-z\d-]{1,63}){1,5}/gi },
  {
    name: 'identity number',
    pattern: /(?<![\dA-Za-z])[1-9]\d{5}(?:18|19|20)\d{2}[01]\d[0-3]\d{4}[\dXx](?![\dA-Za-z])/g,
  },
  { name: 'card', pattern: /(?<![\dA-Za-z])\d(?:[ -]?\d){14,18}(?![\dA-Za-z])/g, holds: hasLuhnCheckDigit },
  {
    name: 'phone',
    pattern: /(?<![\dA-Za-z])(?:(?:\+|00)?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?![\dA-Za-z])/g,
  },
  {
    name: 'phone',
    pattern: /(?<![\dA-Za-z])\+\d{1,3}[ -]?(?:\(\d{1,4}\)[ -]?)?\d{2,4}(?:[ -]?\d{2,4}){1,3}(?![\dA-Za-z])/g,
  },
  { name: 'phone', pattern: /(?<![\dA-Za-z])0\d{2,3}-\d{7,8}(?![\dA-Za-z])/g },
];

/** Full-width digits and signs are read like plain ones; positions stay the same. */
const FULL_WIDTH = /[\uFF01-\uFF5E]/g;

/** The text without secrets and personal data: keys, tokens, e-mail addresses, phone, identity and card numbers. */
export function redactText(text: string): string {
  let redacted = text.replace(FULL_WIDTH, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0));
  let found = false;
  for (const { name, pattern, holds = () => true } of PATTERNS) {
    redacted = redacted.replace(pattern, (match) => {
      if (!holds(match)) return match;
      found = true;
      return `[${name}]`;
    });
  }
  return found ? redacted : text;
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

function hasLuhnCheckDigit(number: string): boolean {
  const digits = [...number.replace(/\D/g, '')].reverse().map(Number);
  const sum = digits.reduce((total, digit, index) => {
    const weighted = index % 2 === 0 ? digit : digit * 2;
    return total + (weighted > 9 ? weighted - 9 : weighted);
  }, 0);
  return sum % 10 === 0;
}
