export type LogFields = Record<string, unknown>;

/** Structured log. `error`: someone must act. `warn`: a fault that heals itself. Question and passage text only at `debug`. */
export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
}
