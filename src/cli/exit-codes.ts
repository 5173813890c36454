/** Exit codes of every command; stated in `askbase --help`. */
export const EXIT = {
  ok: 0,
  /** Something failed: the message says what. */
  failed: 1,
  /** The command line or the configuration is not valid. */
  usage: 2,
  /** There is nothing to give: the knowledge base does not say, or no verdict does. */
  noAnswer: 3,
} as const;
