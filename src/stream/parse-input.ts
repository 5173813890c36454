import type { z } from 'zod';
import { AppError } from '../errors.js';

const MAX_MESSAGE_LENGTH = 300;

/** Checks what came from outside. Throws AppError `invalid` that names the field and the rule, never the value. */
export function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const message = parsed.error.issues.map(describeIssue).join('; ');
  throw new AppError('invalid', message.slice(0, MAX_MESSAGE_LENGTH));
}

function describeIssue({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`;
}
