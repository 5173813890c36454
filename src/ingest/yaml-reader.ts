import { parse, YAMLParseError } from 'yaml';

/** What is wrong with a piece of YAML, in one line with the place. */
export class YamlError extends Error {
  override readonly name = 'YamlError';
}

/**
 * Parses YAML 1.2 without custom tags; the number of aliases is bounded.
 *
 * @throws YamlError
 */
export function parseYaml(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 100, prettyErrors: true, logLevel: 'error' });
  } catch (cause) {
    const [line = ''] = cause instanceof Error ? cause.message.split('\n') : [];
    throw new YamlError(cause instanceof YAMLParseError ? line.replace(/:$/, '') : line, { cause });
  }
}
