import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadPrompts, PromptError } from '../../src/answer/prompts.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'askbase-prompts-'));
  await cp('prompts', dir, { recursive: true });
});
afterEach(() => rm(dir, { recursive: true }));

async function problems(): Promise<readonly string[]> {
  const thrown = await loadPrompts(dir).then(
    () => expect.fail('the prompts were accepted'),
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(PromptError);
  return (thrown as PromptError).problems;
}

async function edit(file: string, change: (text: string) => string): Promise<void> {
  await writeFile(join(dir, file), change(await readFile(join(dir, file), 'utf8')));
}

describe('the prompts', () => {
  it('that ship are complete in both languages', async () => {
    const prompts = await loadPrompts('prompts');
    for (const language of ['en', 'zh'] as const) {
      const text = prompts.render('question', language, {
        passages: 'PASSAGES',
        question: 'QUESTION',
        answerLanguage: 'LANGUAGE',
      });
      expect(text).toContain('PASSAGES');
      expect(text).toContain('QUESTION');
      expect(text).not.toMatch(/variables:|\{\{/);
    }
  });

  it('never expand what was inserted', async () => {
    const prompts = await loadPrompts(dir);
    const text = prompts.render('question', 'en', {
      passages: 'See {{question}} and $& and {{answerLanguage}}',
      question: 'Q',
      answerLanguage: 'English',
    });
    expect(text).toContain('See {{question}} and $& and {{answerLanguage}}');
  });

  it('stop the start with all that is wrong, by file', async () => {
    await rm(join(dir, 'answer.zh.md'));
    await edit('answer.en.md', (text) => `${text}\n{{secret}}`);
    await edit('question.en.md', (text) => text.replace('{{passages}}', ''));
    await edit('question.zh.md', (text) => text.replace('[passages,', '[passages, weather,'));
    await edit('rewrite-question.en.md', (text) => text.replace('[conversation, ', '['));
    await edit('rewrite-question.zh.md', (text) => text.replace('---', ''));
    await writeFile(join(dir, 'anwser.en.md'), 'misspelt');
    expect(await problems()).toEqual([
      'answer.en.md: {{secret}} is not declared',
      'answer.zh.md: is missing or cannot be read',
      'question.en.md: variable passages is not used',
      'question.zh.md: unknown variable weather',
      'question.zh.md: variable weather is not used',
      'rewrite-question.en.md: variable conversation is not declared',
      'rewrite-question.en.md: {{conversation}} is not declared',
      'rewrite-question.zh.md: needs front matter with a list of `variables`',
      'anwser.en.md: there is no prompt of this name and language',
    ]);
  });

  it('stop the start when their folder is not there', async () => {
    await rm(dir, { recursive: true });
    expect(await problems()).toHaveLength(10);
    await cp('prompts', dir, { recursive: true });
  });
});
