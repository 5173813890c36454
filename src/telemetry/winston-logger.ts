import { createLogger, format, type Logform, transports } from 'winston';
import type { LogFields, Logger } from './logger.js';
import { redact } from './redact.js';
import { currentRequestId } from './request-context.js';

export interface WinstonLoggerOptions {
  level: 'error' | 'warn' | 'info' | 'debug';
  /** `json`: one object per line. `text`: for people. */
  style: 'json' | 'text';
  colors: boolean;
  stream: NodeJS.WritableStream;
}

/** Every line carries the request's id where there is one, and neither secrets nor personal data. */
export function createWinstonLogger({ level, style, colors, stream }: WinstonLoggerOptions): Logger {
  const layout = style === 'json' ? [format.json()] : [...(colors ? [format.colorize()] : []), textLine()];
  const winston = createLogger({
    level,
    format: format.combine(format.timestamp(), ...layout),
    transports: [new transports.Stream({ stream })],
  });
  const log =
    (name: WinstonLoggerOptions['level']) =>
    (message: string, fields: LogFields = {}): void => {
      const requestId = currentRequestId();
      const given = { ...(requestId === undefined ? {} : { requestId }), ...fields };
      winston.log({ ...(redact(given) as LogFields), level: name, message: String(redact(message)) });
    };
  return { error: log('error'), warn: log('warn'), info: log('info'), debug: log('debug') };
}

function textLine(): Logform.Format {
  return format.printf(({ timestamp, level, message, ...fields }) => {
    const stacks = Object.values(fields).flatMap(stacksOf);
    const pairs = Object.entries(fields).map(([name, value]) => `${name}=${short(value)}`);
    return [[String(timestamp).slice(11, 23), level, message, ...pairs].join(' '), ...stacks].join('\n');
  });
}

function short(value: unknown): string {
  if (isError(value)) return JSON.stringify(value.message);
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

function stacksOf(value: unknown): string[] {
  return isError(value) ? [value.stack, ...stacksOf(value.cause)] : [];
}

function isError(value: unknown): value is { message: string; stack: string; cause?: unknown } {
  return typeof value === 'object' && value !== null && 'stack' in value && 'message' in value;
}
