import { describe, expect, it } from 'vitest';
import { AppError, toAppError, toPublicError } from '../src/errors.js';

describe('errors', () => {
  it('shows a client our words and never those of the cause', () => {
    const upstream = new Error('connect ECONNREFUSED 10.0.0.7:6333 key=abc');
    const shown = toPublicError(
      new AppError('unavailable', 'The index cannot be reached.', { cause: upstream }),
    );
    expect(shown).toEqual({ code: 'unavailable', message: 'The index cannot be reached.', retryable: true });
    expect(JSON.stringify(toPublicError(upstream))).not.toContain('10.0.0.7');
  });

  it('turns an abort into stopped and a time limit into timeout', () => {
    expect(toAppError(AbortSignal.abort().reason).code).toBe('stopped');
    expect(toAppError(new DOMException('late', 'TimeoutError')).code).toBe('timeout');
  });

  it('keeps the hint when to try again', () => {
    expect(
      toPublicError(new AppError('overloaded', undefined, { retryAfterSeconds: 3 })).retryAfterSeconds,
    ).toBe(3);
  });
});
