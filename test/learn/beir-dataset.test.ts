import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { readBeirDataset } from '../../src/learn/beir-dataset.js';

const folders: string[] = [];

function writeSet(files: Record<string, string>): string {
  const dir = mkdtempSync(join(tmpdir(), 'askbase-beir-'));
  folders.push(dir);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);
  return dir;
}

const SET = {
  'corpus.jsonl': '{"_id":"d1","title":"T","text":"one"}\n{"_id":"d2","text":"two"}\n',
  'queries.jsonl': '{"_id":"q1","text":"?"}\n{"_id":"q2","text":"unjudged"}\n',
  'qrels.tsv': 'query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t0\n',
};

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

describe('readBeirDataset', () => {
  it('reads documents, judged queries and grades, with or without a header line', async () => {
    for (const qrels of [SET['qrels.tsv'], SET['qrels.tsv'].split('\n').slice(1).join('\n')]) {
      const dataset = await readBeirDataset(writeSet({ ...SET, 'qrels.tsv': qrels }));
      expect(dataset.documents).toEqual([
        { id: 'd1', title: 'T', text: 'one' },
        { id: 'd2', title: '', text: 'two' },
      ]);
      expect(dataset.queries).toEqual([{ id: 'q1', text: '?' }]);
      expect(dataset.judgements.get('q1')?.get('d1')).toBe(1);
    }
  });

  it('adds distractors under ids of their own', async () => {
    const others = { 'corpus.jsonl': '{"_id":"d1","text":"three"}\n{"_id":"d2","text":"four"}\n' };
    const dataset = await readBeirDataset(writeSet(SET), [writeSet(others)]);
    expect(dataset.documents).toHaveLength(4);
    expect(new Set(dataset.documents.map(({ id }) => id)).size).toBe(4);
  });

  it('leaves out distractors that are copies of what is there: they would be judged wrong though they are right', async () => {
    const others = {
      'corpus.jsonl': '{"_id":"x1","title":"other","text":"one "}\n{"_id":"x2","text":"three"}\n',
    };
    const dataset = await readBeirDataset(writeSet(SET), [writeSet(others)]);
    expect(dataset.documents.map(({ text }) => text)).toEqual(['one', 'two', 'three']);
  });

  it('names the file and line that is wrong', async () => {
    await expect(
      readBeirDataset(writeSet({ ...SET, 'corpus.jsonl': '{"_id":"d1","text":"x"}\n{' })),
    ).rejects.toThrow(/corpus\.jsonl:2/);
    await expect(readBeirDataset(writeSet({ ...SET, 'qrels.tsv': 'q1\td1\t1\nq1 d2 1\n' }))).rejects.toThrow(
      /qrels\.tsv:2/,
    );
    await expect(readBeirDataset(writeSet({ 'corpus.jsonl': '' }))).rejects.toThrow(/qrels\.tsv/);
  });
});
