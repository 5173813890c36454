import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError, type ErrorCode, toAppError } from '../errors.js';

/** What body parsers and routers say of a request they refuse: http-errors with a `type`. */
const CODES_BY_TYPE: Record<string, [ErrorCode, string]> = {
  'entity.parse.failed': ['invalid', 'The body is not valid JSON.'],
  'entity.not.utf8': ['invalid', 'The body is not valid UTF-8.'],
  'entity.too.large': ['too-large', 'The body is too large.'],
  'request.size.invalid': ['invalid', 'The body is not as long as it said.'],
  'request.aborted': ['stopped', 'The request was aborted.'],
  'encoding.unsupported': ['unsupported-media-type', 'This content encoding is not supported.'],
  'charset.unsupported': ['unsupported-media-type', 'Only UTF-8 is supported.'],
};

const CODES_BY_STATUS: Record<number, ErrorCode> = {
  403: 'forbidden',
  404: 'not-found',
  413: 'too-large',
  415: 'unsupported-media-type',
};

/** Anything thrown while a request was served; a client's fault stays a client's fault. */
export function toRequestError(thrown: unknown): AppError {
  if (!(thrown instanceof Error) || thrown instanceof AppError) return toAppError(thrown);
  const { type, status } = thrown as { type?: unknown; status?: unknown };
  const known = typeof type === 'string' ? CODES_BY_TYPE[type] : undefined;
  if (known !== undefined) return new AppError(known[0], known[1], { cause: thrown });
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new AppError(CODES_BY_STATUS[status] ?? 'invalid', undefined, { cause: thrown });
  }
  return toAppError(thrown);
}

/** Ends a route that has other methods. */
export function methodNotAllowed(
  ...methods: string[]
): (request: IncomingMessage, response: ServerResponse) => void {
  return (_request, response) => {
    response.setHeader('Allow', methods.join(', '));
    throw new AppError('method-not-allowed');
  };
}

/** The first of the types that the client accepts. Throws AppError `not-acceptable`. */
export function negotiate<Type extends string>(
  request: { accepts(types: string[]): string | false },
  types: readonly Type[],
): Type {
  const accepted = request.accepts([...types]);
  if (accepted === false) throw new AppError('not-acceptable', `This route offers ${types.join(' and ')}.`);
  return accepted as Type;
}
