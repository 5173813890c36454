import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseYaml } from '../ingest/yaml-reader.js';
import type { Language } from '../types.js';

/** Every prompt and the variables our code gives it: each must be declared and used by the file, and no other. */
const PROMPT_VARIABLES = {
  answer: ['knowledgeBase', 'persona', 'notice', 'answerLanguage', 'fence'],
  question: ['passages', 'question', 'answerLanguage'],
  'rewrite-question': ['conversation', 'question', 'fence'],
  'translate-question': ['question', 'fence'],
  'judge-sentence': ['passages', 'sentence', 'fence'],
} as const;

const LANGUAGES: readonly Language[] = ['en', 'zh'];

type PromptName = keyof typeof PROMPT_VARIABLES;
type PromptValues<Name extends PromptName> = Record<(typeof PROMPT_VARIABLES)[Name][number], string>;

export interface Prompts {
  /** The prompt with its variables filled in, in one pass: what is inserted is never expanded again. */
  render<Name extends PromptName>(name: Name, language: Language, values: PromptValues<Name>): string;
}

/** All that is wrong with the prompts, one line per problem, each beginning with its file. */
export class PromptError extends Error {
  override readonly name = 'PromptError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The prompts are not valid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/**
 * Reads every prompt of every language from `<dir>/<name>.<language>.md`, once, at start.
 *
 * @throws PromptError naming every file that is missing or wrong
 */
export async function loadPrompts(dir: string): Promise<Prompts> {
  const problems: string[] = [];
  const bodies = new Map<string, string>();
  for (const { name, language, file } of promptFiles()) {
    const text = await readFile(join(dir, file), 'utf8').catch(() => null);
    if (text === null) {
      problems.push(`${file}: is missing or cannot be read`);
      continue;
    }
    const prompt = parsePrompt(text, PROMPT_VARIABLES[name]);
    problems.push(...prompt.problems.map((problem) => `${file}: ${problem}`));
    bodies.set(`${name}.${language}`, prompt.body);
  }
  problems.push(...(await findStrangers(dir)));
  if (problems.length > 0) throw new PromptError(problems);

  return {
    render(name, language, values) {
      const body = bodies.get(`${name}.${language}`) as string;
      return fillIn(body, values).trim();
    },
  };
}

function promptFiles(): { name: PromptName; language: Language; file: string }[] {
  const names = Object.keys(PROMPT_VARIABLES) as PromptName[];
  return names.flatMap((name) =>
    LANGUAGES.map((language) => ({ name, language, file: `${name}.${language}.md` })),
  );
}

const PLACEHOLDER = /\{\{\s*([^{}]*?)\s*\}\}/g;
const FRONT_MATTER = /^---\r?\n([\s\S]*?)\r?\n---\r?\n/;
const frontMatterSchema = z.strictObject({ variables: z.array(z.string()) });

function parsePrompt(text: string, known: readonly string[]): { body: string; problems: string[] } {
  const frontMatter = FRONT_MATTER.exec(text);
  const declared = frontMatterSchema.safeParse(readFrontMatter(frontMatter?.[1]));
  if (!declared.success) return { body: '', problems: ['needs front matter with a list of `variables`'] };

  const body = text.slice(frontMatter?.[0].length);
  const used = new Set([...body.matchAll(PLACEHOLDER)].map(([, name]) => name as string));
  const { variables } = declared.data;
  return {
    body,
    problems: [
      ...variables.filter((name) => !known.includes(name)).map((name) => `unknown variable ${name}`),
      ...known.filter((name) => !variables.includes(name)).map((name) => `variable ${name} is not declared`),
      ...[...used].filter((name) => !variables.includes(name)).map((name) => `{{${name}}} is not declared`),
      ...variables.filter((name) => !used.has(name)).map((name) => `variable ${name} is not used`),
    ],
  };
}

function readFrontMatter(text: string | undefined): unknown {
  try {
    return parseYaml(text ?? '');
  } catch {
    return undefined;
  }
}

/** A misspelt file name would otherwise look like a change that has no effect. */
async function findStrangers(dir: string): Promise<string[]> {
  const known = new Set(promptFiles().map(({ file }) => file)).add('README.md');
  const files = await readdir(dir).catch(() => []);
  return files
    .filter((file) => file.endsWith('.md') && !known.has(file))
    .map((file) => `${file}: there is no prompt of this name and language`);
}

function fillIn(body: string, values: Record<string, string>): string {
  return body.replace(PLACEHOLDER, (_, name: string) => values[name] ?? '');
}
