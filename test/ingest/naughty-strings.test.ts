import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { createDocumentReader } from '../../src/ingest/document-reader.js';
import { createIngestor } from '../../src/ingest/ingestor.js';
import { readDocument } from '../../src/ingest/read-document.js';
import { UnreadableError } from '../../src/ingest/source-document.js';
import { splitIntoPassages } from '../../src/ingest/split-into-passages.js';
import { detectLanguage } from '../../src/language.js';
import { splitSentences } from '../../src/sentences.js';
import { createMemoryPassageIndex } from '../fakes/memory-passage-index.js';
import { makeDocx } from '../support/documents/docx.js';
import { makePdf } from '../support/documents/pdf.js';
import { makeXlsx } from '../support/documents/xlsx.js';
import { sampleKnowledgeBase } from '../support/sample-knowledge-base.js';
import { silentLogger } from '../support/silent-logger.js';

const file = fileURLToPath(new URL('../../../shared/data/attacks/naughty-strings.json', import.meta.url));
const present = existsSync(file);
const strings: string[] = present ? JSON.parse(readFileSync(file, 'utf8')) : [];
const title = (count: number, where: string): string =>
  present ? `${count} naughty strings ${where}` : `naughty strings (skipped: ${file} is not there)`;
const INVISIBLE = /(?![\t\n])\p{Cc}|\p{Cs}|[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff]/u;

describe.skipIf(!present)(title(strings.length, 'through ingestion'), () => {
  const reader = createDocumentReader();
  afterAll(() => reader.close());

  const formats: Record<string, (text: string) => string | Uint8Array> = {
    md: (text) => text,
    txt: (text) => text,
    html: (text) => `<html><p>${text}</p>`,
    csv: (text) => `question,answer\n"${text.replaceAll('"', '""')}",${JSON.stringify(text)}\n`,
    jsonl: (text) => JSON.stringify({ question: text, answer: text }),
    docx: (text) => makeDocx([{ paragraph: text.replaceAll(/[^\t\n\x20-\uD7FF\uE000-\uFFFD]/g, '') }]),
    xlsx: (text) =>
      makeXlsx([
        {
          name: 'S',
          rows: [
            ['question', 'answer'],
            [text.replaceAll(/[^\t\n\x20-\uD7FF\uE000-\uFFFD]/g, ''), 'x'],
          ],
        },
      ]),
    pdf: (text) => makePdf([text.split('\n').map((line) => ({ text: line }))]),
  };

  it.each(Object.keys(formats))(
    'become clean passages or a refusal with a reason, as .%s',
    async (extension) => {
      for (const text of strings) {
        try {
          const bytes = Buffer.from(formats[extension]?.(text) ?? '');
          const document = await readDocument({ documentId: `a.${extension}`, bytes });
          const passages = splitIntoPassages(document);
          expect(passages.length).toBeGreaterThan(0);
          for (const passage of passages) {
            expect([passage.text, ...passage.headings].join('\n')).not.toMatch(INVISIBLE);
          }
        } catch (thrown) {
          expect(thrown, JSON.stringify(text)).toBeInstanceOf(UnreadableError);
        }
      }
    },
  );

  it('survive the way into the index and out again, as one document and as names', async () => {
    const index = createMemoryPassageIndex();
    const ingestor = createIngestor({
      index,
      embedder: null,
      reader,
      analyze: (text) => [text],
      logger: silentLogger,
    });
    const signal = new AbortController().signal;
    const knowledgeBase = sampleKnowledgeBase();
    const lines = strings.map((text) => JSON.stringify({ text })).join('\n');
    const added = await ingestor.ingestDocument(
      { knowledgeBase, documentId: 'all.jsonl', content: lines, origin: 'upload' },
      { signal },
    );
    expect(added.passages).toBeGreaterThan(strings.length * 0.9);
    const outcomes = await Promise.allSettled(
      strings.map((documentId) =>
        ingestor.ingestDocument(
          { knowledgeBase, documentId, content: 'Words.', origin: 'upload' },
          { signal },
        ),
      ),
    );
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected')
        expect(outcome.reason).toMatchObject({ code: expect.stringMatching(/^(invalid|unreadable)$/) });
    }
  });

  it('are cut into sentences and told a language', () => {
    for (const text of strings) {
      expect(
        splitSentences(text).every((sentence) => sentence.text === text.slice(sentence.start, sentence.end)),
      ).toBe(true);
      expect(['en', 'zh']).toContain(detectLanguage(text));
    }
  });
});
