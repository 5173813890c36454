import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createKnowledgeBaseRegistry,
  defaultKnowledgeBase,
} from '../../src/ingest/knowledge-base-registry.js';
import { loadKnowledgeBases } from '../../src/ingest/load-knowledge-bases.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'askbase-knowledge-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function write(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(dir, path)), { recursive: true });
  await writeFile(join(dir, path), content);
}

describe('loadKnowledgeBases', () => {
  it('reads every kb.yaml, and gives a folder without one its name for a title', async () => {
    await write('shop/kb.yaml', 'title: {en: Shop, zh: 商店}\nthreshold: 0.4\ndictionary: [蓝牙配网]\n');
    await write('handbook/a.md', 'Words.');
    await write('README.md', 'Not a folder.');
    await write('.git/config', '');
    const { knowledgeBases, folders, problems } = await loadKnowledgeBases(dir);
    expect(knowledgeBases).toEqual([
      defaultKnowledgeBase('handbook'),
      {
        ...defaultKnowledgeBase('shop'),
        title: { en: 'Shop', zh: '商店' },
        threshold: 0.4,
        dictionary: ['蓝牙配网'],
      },
    ]);
    expect(defaultKnowledgeBase('handbook').title).toEqual({ en: 'handbook', zh: 'handbook' });
    expect([folders, problems]).toEqual([['handbook', 'shop'], []]);
  });

  it('reports what is wrong by file and path, and loads the others', async () => {
    await write('a/kb.yaml', 'title: {en: A}\ncolour: red\nthreshold: 7\n');
    await write('b/kb.yaml', 'title: {fr: B}\n');
    await write('c/kb.yaml', 'title: [unclosed');
    await write('d/kb.yaml', '');
    await write(
      'e/kb.yaml',
      'title: {en: E}\nhandoff: {phrases: {en: ["human + "]}, message: {en: Wait.}}\n',
    );
    await write('Bad Name/kb.yaml', 'title: {en: E}\n');
    await write('good/kb.yaml', 'title: {en: Good}\n');
    const { knowledgeBases, folders, problems } = await loadKnowledgeBases(dir);
    expect(knowledgeBases.map(({ id }) => id)).toEqual(['good']);
    expect(folders).toEqual(['Bad Name', 'a', 'b', 'c', 'd', 'e', 'good']);
    expect(Object.fromEntries(problems.map(({ file, reason }) => [file, reason]))).toEqual({
      'Bad Name': expect.stringContaining('lower-case letters'),
      'a/kb.yaml': expect.stringMatching(/threshold: .*; the file: .*colour/),
      'b/kb.yaml': expect.stringMatching(/title: .*fr/),
      'c/kb.yaml': expect.stringContaining('line 1'),
      'd/kb.yaml': expect.stringContaining('the file'),
      'e/kb.yaml': expect.stringMatching(/handoff\.phrases\.en.*no words/),
    });
  });

  it('says that the knowledge folder is not there', async () => {
    expect(await loadKnowledgeBases(join(dir, 'none'))).toEqual({
      knowledgeBases: [],
      folders: [],
      problems: [{ file: '', reason: 'the knowledge folder cannot be read (ENOENT)' }],
      complete: false,
    });
  });

  it('accepts every knowledge base that ships', async () => {
    const shipped = fileURLToPath(new URL('../../knowledge', import.meta.url));
    const { knowledgeBases, problems } = await loadKnowledgeBases(shipped);
    expect(problems).toEqual([]);
    expect(knowledgeBases.map(({ id }) => id)).toContain('shop-support');
  });
});

describe('createKnowledgeBaseRegistry', () => {
  it('knows those of the folder and those that only uploads have made', () => {
    const registry = createKnowledgeBaseRegistry();
    registry.configure([{ ...defaultKnowledgeBase('shop'), threshold: 0.4 }]);
    registry.ensure('notes');
    expect(registry.ensure('shop').threshold).toBe(0.4);
    expect(registry.list().map(({ id }) => id)).toEqual(['notes', 'shop']);
    registry.configure([]);
    expect([registry.get('shop'), registry.get('notes')?.title.en]).toEqual([undefined, 'notes']);
  });

  it('prefers what the folder says of one that an upload made', () => {
    const registry = createKnowledgeBaseRegistry();
    registry.ensure('shop');
    registry.configure([{ ...defaultKnowledgeBase('shop'), threshold: 0.4 }]);
    expect(registry.get('shop')?.threshold).toBe(0.4);
    expect(registry.list()).toHaveLength(1);
  });

  it.each(['', 'Shop', '../x', 'a b', '__proto__', 'x'.repeat(65)])('refuses %j as an id', (id) => {
    const refuse = () => createKnowledgeBaseRegistry().ensure(id);
    expect(refuse).toThrow(expect.objectContaining({ code: 'invalid' }));
  });
});
