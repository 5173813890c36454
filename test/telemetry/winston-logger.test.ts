import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/errors.js';
import { inRequest } from '../../src/telemetry/request-context.js';
import { createWinstonLogger, type WinstonLoggerOptions } from '../../src/telemetry/winston-logger.js';

function setUp(options: Partial<WinstonLoggerOptions> = {}) {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  return {
    lines,
    logger: createWinstonLogger({ level: 'info', style: 'json', colors: false, stream, ...options }),
  };
}

describe('The log as JSON', () => {
  it('has one object per line with time, level, message and fields', () => {
    const { lines, logger } = setUp();
    logger.info('answer ended', { messageId: 'm1', frames: 6 });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      level: 'info',
      message: 'answer ended',
      messageId: 'm1',
      frames: 6,
    });
  });

  it('carries the id of the request, also in what the request started', async () => {
    const { lines, logger } = setUp();
    await inRequest('r-1', async () => {
      await new Promise(setImmediate);
      logger.warn('late');
    });
    logger.warn('outside');
    expect(lines.map((line) => JSON.parse(line).requestId)).toEqual(['r-1', undefined]);
  });

  it('keeps to its level', () => {
    const { lines, logger } = setUp({ level: 'warn' });
    logger.debug('no');
    logger.info('no');
    logger.error('yes');
    expect(lines).toHaveLength(1);
  });

  it('loses secrets and personal data in messages, fields and errors', () => {
    const { lines, logger } = setUp();
    const error = new AppError('model-failed', undefined, { cause: new Error('key sk-abcdefghijklmnop') });
    logger.error('mail to li@example.com', { phone: '13812345678', apiKey: 'k', error });
    expect(lines.join()).not.toMatch(/li@example|13812345678|sk-abc|"k"/);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      error: { code: 'model-failed', cause: { name: 'Error' } },
    });
  });

  it('does not let a field pass for the message, the level or a new line', () => {
    const { lines, logger } = setUp();
    logger.info('true\n{"level":"error"}', { message: 'false', level: 'error' });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.trimEnd()).not.toContain('\n');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', message: 'true\n{"level":"error"}' });
  });
});

describe('The log as text', () => {
  it('is a line a person can read, with the stacks of errors below', () => {
    const { lines, logger } = setUp({ style: 'text' });
    logger.error('answer failed', { messageId: 'm1', note: 'two words', error: new AppError('internal') });
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} error answer failed messageId=m1 note="two words" error="/,
    );
    expect(lines[0]).toContain('\nAppError: Something broke');
  });

  it('is coloured where it is asked for', () => {
    const { lines, logger } = setUp({ style: 'text', colors: true });
    logger.warn('careful');
    expect(lines[0]).toContain('\u001b[');
  });
});
