import { z } from 'zod';
import type { Language } from '../../types.js';
import { UnreadableError } from '../source-document.js';
import { parseYaml, YamlError } from '../yaml-reader.js';

/** Keys of other tools are left alone: the same files often feed a website. */
const schema = z.object({
  title: z.coerce.string().trim().min(1).optional(),
  url: z.url({ protocol: /^https?$/ }).optional(),
  tags: z
    .union([z.array(z.coerce.string()), z.string().transform((list) => list.split(/[,，、]/))])
    .transform((tags) => tags.map((tag) => tag.trim()).filter((tag) => tag !== ''))
    .optional(),
  language: z
    .string()
    .transform((tag) => toLanguage(tag))
    .optional(),
});

export interface FrontMatter {
  title?: string;
  url?: string;
  tags?: string[];
  language?: Language;
}

const OPENING = /^---[ \t]*\n/;

/**
 * Takes the YAML front matter off a Markdown text. A text that merely starts with a rule has none.
 *
 * @throws UnreadableError where it is not valid YAML or a key has the wrong type
 */
export function takeFrontMatter(text: string): { frontMatter: FrontMatter; body: string } {
  const opening = OPENING.exec(text)?.[0];
  const closing = opening === undefined ? -1 : findClosing(text, opening.length);
  if (opening === undefined || closing === -1) return { frontMatter: {}, body: text };

  const parsed = parseMapping(text.slice(opening.length, closing));
  if (parsed === null) return { frontMatter: {}, body: text };
  const result = schema.safeParse(parsed);
  if (!result.success) {
    const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new UnreadableError(`the front matter is not valid: ${problems.join('; ')}`);
  }
  const frontMatter = Object.fromEntries(
    Object.entries(result.data).filter(([, value]) => value !== undefined),
  );
  const bodyStart = text.indexOf('\n', closing + 1);
  return { frontMatter, body: bodyStart === -1 ? '' : text.slice(bodyStart + 1) };
}

function findClosing(text: string, from: number): number {
  for (let at = from; at < text.length; at = text.indexOf('\n', at) + 1) {
    const lineEnd = text.indexOf('\n', at);
    const line = text.slice(at, lineEnd === -1 ? text.length : lineEnd).trimEnd();
    if (line === '---' || line === '...') return at;
    if (lineEnd === -1) break;
  }
  return -1;
}

/** Null where the text between the rules is prose, not a mapping. */
function parseMapping(yaml: string): object | null {
  try {
    const value = parseYaml(yaml);
    if (value === null) return {};
    return typeof value === 'object' && !Array.isArray(value) ? value : null;
  } catch (cause) {
    if (!(cause instanceof YamlError)) throw cause;
    if (!/^[\w-]+:/m.test(yaml)) return null;
    throw new UnreadableError(`the front matter is not valid YAML: ${cause.message}`, { cause });
  }
}

/** `zh-CN`, `zh_Hant` and `cn` are Chinese; every other given language is read as English. */
export function toLanguage(tag: string): Language {
  return /^(?:zh|cn|chinese|中文)/i.test(tag.trim()) ? 'zh' : 'en';
}
