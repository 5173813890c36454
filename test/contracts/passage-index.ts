import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  inverseDocumentFrequency,
  weighPassageTerms,
  weighQuestionTerms,
} from '../../src/retrieve/lexical-weights.js';
import type {
  BranchHit,
  IndexedPassage,
  IndexFingerprint,
  PassageFilter,
  PassageIndex,
} from '../../src/retrieve/passage-index.js';
import { alike, documentOf, indexed, passageOf, termsOf, unit } from '../support/passages.js';
import { seededRandom } from '../support/seeded-random.js';

/** An engine to test: each place is empty at first and can be opened again and again. */
export interface PassageIndexEngine {
  newPlace(): Promise<{ open(): Promise<PassageIndex>; remove(): Promise<void> }>;
  close?(): Promise<void>;
}

const DIMENSIONS = 8;
const FINGERPRINT: IndexFingerprint = { embedder: 'tiny', dimensions: DIMENSIONS, analyzer: 'askbase-1' };
const signal = new AbortController().signal;
const axis = (at: number): number[] =>
  Array.from({ length: DIMENSIONS }, (_, index) => (index === at ? 1 : 0));

export function passageIndexContract(name: string, startEngine: () => Promise<PassageIndexEngine>): void {
  describe(`PassageIndex on ${name}`, () => {
    let engine: PassageIndexEngine;
    let place: Awaited<ReturnType<PassageIndexEngine['newPlace']>>;
    let index: PassageIndex;

    beforeAll(async () => {
      engine = await startEngine();
    });
    afterAll(async () => {
      await engine?.close?.();
    });
    beforeEach(async () => {
      place = await engine.newPlace();
      index = await place.open();
      await index.prepare(FINGERPRINT);
    });
    afterEach(async () => {
      await index.close();
      await place.remove();
    });

    const write = (
      passages: IndexedPassage[],
      fields: Parameters<typeof documentOf>[1] = {},
    ): Promise<void> => {
      const first =
        passages[0]?.passage ?? passageOf('shop', { documentId: fields.documentId ?? 'empty.md' });
      return index.replaceDocument(documentOf(first, fields), passages, { signal });
    };
    const find = async (
      question: string,
      vector: number[] | null = null,
      { knowledgeBase = 'shop', filter = {} as PassageFilter, limit = 50, madeWith = FINGERPRINT } = {},
    ): Promise<{ lexical: BranchHit[]; dense: BranchHit[] }> =>
      index.search(
        { lexical: weigh(question), dense: vector === null ? null : unit(vector), madeWith },
        { knowledgeBase, filter, limit, signal },
      );
    const texts = (hits: BranchHit[]): string[] => hits.map(({ passage }) => passage.text);

    test('an empty index finds nothing, lists nothing and says so', async () => {
      expect(await find('kettle', axis(0))).toEqual({ lexical: [], dense: [] });
      expect(await index.listDocuments()).toEqual([]);
      expect(await index.readDocument('shop', 'none.md')).toEqual([]);
      expect(await index.describe()).toMatchObject({ builtWith: null, passages: 0, knowledgeBases: [] });
      expect(await index.isReady()).toBeNull();
    });

    test('gives back passages as they were written, with rank and exact score in each branch', async () => {
      const kettle = passageOf('shop', {
        documentId: 'zh/水壶 "quoted".md',
        text: '水壶保修两年',
        headings: ['保修', '厨房'],
        language: 'zh',
        url: 'https://example.com/kettle?a=1#b',
        tags: ['kitchen', '厨房'],
      });
      const other = passageOf('shop', { documentId: 'en/a.md', text: 'Parcels arrive in two days.' });
      await write([indexed(kettle, [3, 4, 0, 0, 0, 0, 0, 0])]);
      await write([indexed(other, axis(2))]);

      const { lexical, dense } = await find('保修', axis(1));
      const { keys, weights } = weighPassageTerms('shop', termsOf('水壶保修两年'));
      const [key] = weighQuestionTerms('shop', weigh('保修')).keys;
      const bm25 = inverseDocumentFrequency(2, 1) * (weights[keys.indexOf(key as number)] as number);
      expect(lexical).toEqual([{ passage: kettle, rank: 1, score: expect.closeTo(bm25, 4) }]);
      expect(dense).toEqual([
        { passage: kettle, rank: 1, score: expect.closeTo(0.8, 2) },
        { passage: other, rank: 2, score: expect.closeTo(0, 2) },
      ]);
      expect(await index.readDocument('shop', kettle.documentId)).toEqual([kettle]);
    });

    test('gives back vectors and terms bit for bit as they were written', async () => {
      const passages = [
        indexed(
          passageOf('shop', { text: 'kettle 水壶', position: 0, tags: ['x'] }),
          [1, 2, 3, 4, 5, 6, 7, 8],
        ),
        indexed(passageOf('shop', { text: 'no vector', position: 1 })),
        indexed(passageOf('shop', { text: '', position: 2 }), axis(3)),
      ];
      await write(passages);
      expect(await index.readIndexed('shop', 'en/returns.md')).toEqual(passages);
      expect(await index.readIndexed('shop', 'none.md')).toEqual([]);
    });

    test('searches during and after a bulk load, and gives what the load gives', async () => {
      const passage = passageOf('shop', { text: 'kettle' });
      const found = await index.load(async () => {
        await write([indexed(passage, axis(0))]);
        return (await find('kettle', axis(0))).dense.length;
      });
      expect(found).toBe(1);
      const failed = index.load(() => Promise.reject(new Error('broken off')));
      await expect(failed).rejects.toThrow('broken off');
      expect((await find('kettle', axis(0))).dense).toHaveLength(1);
    });

    test('orders both branches as brute force does', async () => {
      const corpus = syntheticCorpus(400);
      for (const passages of corpus.documents) await write(passages);
      for (const { question, vector } of corpus.questions) {
        const { lexical, dense } = await find(question, vector, { limit: 20 });
        expectSameOrder(lexical, bruteForceLexical(corpus.documents.flat(), question), 20);
        expectSameOrder(dense, bruteForceDense(corpus.documents.flat(), unit(vector)), 20);
      }
    });

    test('ranks a knowledge base by its own term frequencies, whatever words others use', async () => {
      for (const text of [
        'kettle descaling',
        'kettle descaling descaling',
        'kettle',
        'descaling',
        'kettle kettle',
      ]) {
        await write([indexed(passageOf('shop', { documentId: text, text }))]);
      }
      const crowd = (word: string): Promise<void> =>
        write(
          Array.from({ length: 50 }, (_, position) =>
            indexed(passageOf('other', { text: `${word} ${position}`, position })),
          ),
        );
      await crowd('parcel');
      const before = await find('kettle descaling');
      expect(before.lexical).toHaveLength(5);
      await crowd('kettle');
      expect(await find('kettle descaling')).toEqual(before);
      expect((await find('kettle', null, { knowledgeBase: 'other' })).lexical).toHaveLength(50);
    });

    test('finds two-character Chinese words inside longer ones', async () => {
      await write([indexed(passageOf('shop', { text: '因质量问题退货运费由我们承担', language: 'zh' }))]);
      for (const word of ['退货', '货运', '运费', '质量', '承担']) {
        expect((await find(word)).lexical, word).toHaveLength(1);
      }
    });

    test('takes every filter exactly, alone and together', async () => {
      const make = (documentId: string, language: 'en' | 'zh', tags: string[]): IndexedPassage =>
        indexed(passageOf('shop', { documentId, language, tags, text: `kettle ${documentId}` }), axis(0));
      await write([make('a.md', 'en', ['x', 'y'])]);
      await write([make('b.md', 'en', ['y'])]);
      await write([make('c.md', 'zh', ['x'])]);
      await write([make('d.md', 'zh', [])]);
      await write([indexed(passageOf('other', { documentId: 'a.md', text: 'kettle' }), axis(0))]);

      const documents = async (filter: PassageFilter): Promise<[string[], string[]]> => {
        const { lexical, dense } = await find('kettle', axis(0), { filter });
        const ids = (hits: BranchHit[]): string[] => hits.map(({ passage }) => passage.documentId).sort();
        return [ids(lexical), ids(dense)];
      };
      const expectDocuments = async (filter: PassageFilter, expected: string[]): Promise<void> =>
        expect(await documents(filter), JSON.stringify(filter)).toEqual([expected, expected]);
      await expectDocuments({}, ['a.md', 'b.md', 'c.md', 'd.md']);
      await expectDocuments({ documentIds: ['b.md', 'd.md', 'none.md'] }, ['b.md', 'd.md']);
      await expectDocuments({ documentIds: [] }, []);
      await expectDocuments({ language: 'zh' }, ['c.md', 'd.md']);
      await expectDocuments({ tags: ['x'] }, ['a.md', 'c.md']);
      await expectDocuments({ tags: ['x', 'y'] }, ['a.md', 'b.md', 'c.md']);
      await expectDocuments({ tags: [] }, []);
      await expectDocuments({ tags: ['x'], language: 'zh', documentIds: ['a.md', 'c.md'] }, ['c.md']);
      expect(await find('kettle', axis(0), { knowledgeBase: 'none' })).toEqual({ lexical: [], dense: [] });
    });

    test('gives no more hits than asked for, the best ones, ties by passage id', async () => {
      const same = Array.from({ length: 9 }, (_, position) =>
        indexed(passageOf('shop', { documentId: `${position}.md`, text: 'kettle' }), axis(0)),
      );
      for (const passage of same) await write([passage]);
      const { lexical, dense } = await find('kettle', axis(0));
      const ids = same.map(({ passage }) => passage.id).sort();
      expect(lexical.map(({ passage }) => passage.id)).toEqual(ids);
      expect(dense.map(({ passage }) => passage.id)).toEqual(ids);
      expect(lexical.map(({ rank }) => rank)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect((await find('kettle', axis(0), { limit: 3 })).lexical).toHaveLength(3);
    });

    test('searches only the branches it is given something for', async () => {
      await write([indexed(passageOf('shop', { text: 'kettle' }), axis(0))]);
      expect((await find('kettle')).dense).toEqual([]);
      expect((await find('', axis(0))).lexical).toEqual([]);
      expect((await find('', axis(0))).dense).toHaveLength(1);
    });

    test('keeps passages without a vector or without terms for the other branch', async () => {
      await write([
        indexed(passageOf('shop', { documentId: 'a.md', text: 'kettle', position: 0 })),
        {
          passage: passageOf('shop', { documentId: 'a.md', text: '!!!', position: 1 }),
          vector: unit(axis(0)),
          terms: weighPassageTerms('shop', []),
        },
      ]);
      const { lexical, dense } = await find('kettle', axis(0));
      expect(texts(lexical)).toEqual(['kettle']);
      expect(texts(dense)).toEqual(['!!!']);
    });

    test('replaces a document: what is gone is gone, what stayed keeps its id', async () => {
      const at = (text: string, position: number): IndexedPassage =>
        indexed(passageOf('shop', { documentId: 'a.md', text, position }), axis(position));
      await write([at('first old', 0), at('kept', 1)]);
      await write([at('kept', 0), at('third new', 1)], { title: 'Changed', contentHash: 'b'.repeat(64) });
      expect((await index.readDocument('shop', 'a.md')).map(({ text }) => text)).toEqual([
        'kept',
        'third new',
      ]);
      expect((await find('old')).lexical).toEqual([]);
      expect(texts((await find('new')).lexical)).toEqual(['third new']);
      expect((await find('', axis(0))).dense).toHaveLength(2);
      expect(await index.listDocuments('shop')).toMatchObject([
        { title: 'Changed', contentHash: 'b'.repeat(64), passages: 2 },
      ]);
      expect(await index.findDocument('shop', 'a.md')).toEqual((await index.listDocuments('shop'))[0]);
      expect(await index.findDocument('shop', 'none.md')).toBeNull();
      expect(await index.findDocument('other', 'a.md')).toBeNull();
    });

    test('the same document again changes nothing', async () => {
      const passages = ['one kettle', 'two kettles'].map((text, position) =>
        indexed(passageOf('shop', { text, position }), axis(position)),
      );
      await write(passages);
      const before = [await find('kettle', axis(0)), await index.describe(), await index.listDocuments()];
      await write(passages);
      expect([await find('kettle', axis(0)), await index.describe(), await index.listDocuments()]).toEqual(
        before,
      );
    });

    test('never shows a gap while a document is replaced', async () => {
      const version = (number: number): IndexedPassage[] =>
        Array.from({ length: 30 }, (_, position) =>
          indexed(
            passageOf('shop', { documentId: 'a.md', text: `kettle v${number} ${position}`, position }),
            axis(0),
          ),
        );
      await write(version(0));
      let writing = true;
      const watch = async (): Promise<number> => {
        let searches = 0;
        while (writing) {
          const { lexical, dense } = await find('kettle', axis(0), { limit: 100 });
          expect(lexical.length).toBeGreaterThanOrEqual(30);
          expect(dense.length).toBeGreaterThanOrEqual(30);
          searches += 1;
        }
        return searches;
      };
      const watching = watch();
      for (let number = 1; number <= 5; number += 1) await write(version(number));
      writing = false;
      expect(await watching).toBeGreaterThan(0);
      expect((await find('kettle', null, { limit: 100 })).lexical).toHaveLength(30);
      expect((await find('v5', null, { limit: 100 })).lexical).toHaveLength(30);
    });

    test('deletes a document with its passages, once', async () => {
      await write([indexed(passageOf('shop', { documentId: 'a.md', text: 'kettle' }), axis(0))]);
      await write([indexed(passageOf('other', { documentId: 'a.md', text: 'kettle' }), axis(0))]);
      expect(await index.deleteDocument('shop', 'a.md')).toBe(true);
      expect(await index.deleteDocument('shop', 'a.md')).toBe(false);
      expect(await find('kettle', axis(0))).toEqual({ lexical: [], dense: [] });
      expect(await index.listDocuments()).toMatchObject([{ knowledgeBase: 'other' }]);
      expect((await find('kettle', null, { knowledgeBase: 'other' })).lexical).toHaveLength(1);
    });

    test('lists documents by knowledge base and id, with all that was said of them', async () => {
      for (const [knowledgeBase, documentId] of [
        ['shop', 'b.md'],
        ['health', 'z.md'],
        ['shop', 'a.md'],
      ] as const) {
        await write([indexed(passageOf(knowledgeBase, { documentId }))], {
          origin: 'upload',
          url: 'https://e.com',
        });
      }
      const all = await index.listDocuments();
      expect(all.map(({ knowledgeBase, documentId }) => `${knowledgeBase}/${documentId}`)).toEqual([
        'health/z.md',
        'shop/a.md',
        'shop/b.md',
      ]);
      expect(all[0]).toEqual(
        documentOf(passageOf('health', { documentId: 'z.md' }), { origin: 'upload', url: 'https://e.com' }),
      );
      expect(await index.listDocuments('shop')).toHaveLength(2);
      expect(await index.describe()).toMatchObject({
        builtWith: FINGERPRINT,
        passages: 3,
        knowledgeBases: [
          { knowledgeBase: 'health', documents: 1, passages: 1 },
          { knowledgeBase: 'shop', documents: 2, passages: 2 },
        ],
      });
    });

    test('knows documents without passages, and passages that come twice', async () => {
      await write([], { documentId: 'empty.md' });
      const twice = indexed(passageOf('shop', { documentId: 'twice.md', text: 'kettle' }), axis(0));
      await write([twice, twice]);
      expect(await index.listDocuments()).toMatchObject([
        { documentId: 'empty.md', passages: 0 },
        { documentId: 'twice.md', passages: 1 },
      ]);
      expect((await find('kettle', axis(0))).dense).toHaveLength(1);
    });

    test('takes a document of thousands of passages and one of a very long text', async () => {
      const many = Array.from({ length: 2500 }, (_, position) =>
        indexed(
          passageOf('shop', { documentId: 'many.md', text: `row number${position}`, position }),
          axis(position % 8),
        ),
      );
      await write(many);
      const long = 'kettle 水壶 '.repeat(20_000);
      await write([indexed(passageOf('shop', { documentId: 'long.md', text: long }), axis(0))]);
      const read = await index.readDocument('shop', 'many.md');
      expect(read.map(({ position }) => position)).toEqual(many.map((_, position) => position));
      expect((await find('number2499')).lexical).toHaveLength(1);
      expect(texts((await find('水壶')).lexical)).toEqual([long]);
    });

    test('keeps every one of many writes at once, and one of two versions written together', async () => {
      const versionOf = (number: number): IndexedPassage[] =>
        [0, 1, 2].map((position) =>
          indexed(
            passageOf('shop', { documentId: 'same.md', text: `kettle v${number} ${position}`, position }),
          ),
        );
      await Promise.all([
        ...Array.from({ length: 25 }, (_, number) =>
          write([indexed(passageOf('shop', { documentId: `${number}.md`, text: `kettle ${number}` }))]),
        ),
        write(versionOf(1)),
        write(versionOf(2)),
      ]);
      expect(await index.listDocuments('shop')).toHaveLength(26);
      expect((await index.describe()).passages).toBe(28);
      const versions = new Set(
        (await index.readDocument('shop', 'same.md')).map(({ text }) => text.slice(0, 9)),
      );
      expect(versions.size).toBe(1);
    });

    test('is the same after it was closed and opened again', async () => {
      const corpus = syntheticCorpus(60);
      for (const passages of corpus.documents) await write(passages);
      const [first] = corpus.questions;
      const look = async (): Promise<unknown> => [
        await find(first?.question ?? '', first?.vector ?? null),
        await index.listDocuments(),
        await index.describe(),
      ];
      const before = await look();
      await index.close();
      index = await place.open();
      expect(await index.prepare(FINGERPRINT)).toBe(false);
      expect(await look()).toEqual(before);
    });

    test.each([
      ['SQL', "'; DROP TABLE passages; --"],
      ['a path', 'a/../b'],
      ['emoji and right-to-left text', '😀 عربى ﷽'],
      ['wildcards and quotes', '%_*?"\\'],
      ['a long string', 'x'.repeat(500)],
    ])('takes %s as an id, a tag and a text like any other', async (_, odd) => {
      const passage = passageOf('shop', { documentId: odd, tags: [odd], text: `kettle \0 \u2028 ${odd}` });
      await write([indexed(passage, axis(0))]);
      const filter = { documentIds: [odd], tags: [odd] };
      expect((await find('kettle', null, { filter })).lexical).toMatchObject([{ passage }]);
      expect(await index.readDocument('shop', odd)).toEqual([passage]);
      expect(await index.deleteDocument('shop', odd)).toBe(true);
    });

    test('refuses vectors of the wrong size with a clear error and keeps what it had', async () => {
      const passage = passageOf('shop', { text: 'kettle' });
      await write([indexed(passage, axis(0))]);
      await expect(write([indexed(passage, [1, 0])])).rejects.toMatchObject({
        name: 'AppError',
        code: 'invalid',
      });
      await expect(find('kettle', [1, 0])).rejects.toMatchObject({ name: 'AppError', code: 'invalid' });
      const broken = {
        passage,
        vector: new Float32Array(DIMENSIONS).fill(Number.NaN),
        terms: indexed(passage).terms,
      };
      await expect(write([broken])).rejects.toMatchObject({ name: 'AppError', code: 'invalid' });
      expect((await find('kettle', axis(0))).dense).toHaveLength(1);
    });

    test('refuses work whose caller has gone', async () => {
      const gone = AbortSignal.abort();
      const passage = passageOf('shop', { text: 'kettle' });
      await expect(
        index.replaceDocument(documentOf(passage), [indexed(passage)], { signal: gone }),
      ).rejects.toMatchObject({ code: 'stopped' });
      await expect(
        index.search(
          { lexical: alike(['x']), dense: null, madeWith: FINGERPRINT },
          { knowledgeBase: 'shop', limit: 1, signal: gone },
        ),
      ).rejects.toMatchObject({ code: 'stopped' });
      expect(await index.listDocuments()).toEqual([]);
    });

    describe('that goes over to another embedding model', () => {
      const LARGER: IndexFingerprint = { embedder: 'larger', dimensions: 3, analyzer: 'askbase-2' };
      const one = passageOf('shop', { documentId: '1.md', text: 'kettle one' });
      const two = passageOf('shop', { documentId: '2.md', text: 'kettle two' });
      const findIn = async (madeWith: IndexFingerprint): Promise<[string[], string[]]> => {
        const vector = madeWith === LARGER ? [1, 0, 0] : axis(0);
        const { lexical, dense } = await find('kettle', vector, { madeWith });
        return [texts(lexical).sort(), texts(dense).sort()];
      };
      const all = (...found: string[]): [string[], string[]] => [found, found];
      const hashes = async (): Promise<string[]> =>
        (await index.listDocuments()).map(({ contentHash }) => contentHash.slice(0, 1));
      beforeEach(async () => {
        await write([indexed(one, axis(0))]);
        await write([indexed(two, axis(1))]);
      });

      test('searches what is there until all of it is made again, then all of the new, also where that was interrupted', async () => {
        expect(await index.prepare(LARGER)).toBe(true);
        expect(await hashes()).toEqual(['', '']);
        expect(await index.readDocument('shop', '1.md')).toEqual([one]);
        await write([indexed(one, [1, 0, 0])]);
        expect(await hashes()).toEqual(['a', '']);
        const found = await Promise.all(['1.md', '2.md'].map((id) => index.findDocument('shop', id)));
        expect(found).toEqual(await index.listDocuments());
        expect(await index.searchedWith()).toEqual(FINGERPRINT);
        expect(await findIn(FINGERPRINT)).toEqual(all('kettle one', 'kettle two'));

        await index.close();
        index = await place.open();
        expect(await index.prepare(LARGER)).toBe(true);
        expect(await hashes()).toEqual(['a', '']);
        expect(await findIn(FINGERPRINT)).toEqual(all('kettle one', 'kettle two'));
        await write([indexed(two, [0, 1, 0])]);
        expect(await index.prepare(LARGER)).toBe(false);

        expect(await index.searchedWith()).toEqual(LARGER);
        expect(await findIn(LARGER)).toEqual(all('kettle one', 'kettle two'));
        expect(await index.describe()).toMatchObject({ builtWith: LARGER, passages: 2 });
        await expect(findIn(FINGERPRINT)).rejects.toMatchObject({ name: 'AppError', code: 'conflict' });
        expect(await index.prepare(LARGER)).toBe(false);
      });

      test('forgets at once what is deleted meanwhile, and shows what is new or changed when it is over', async () => {
        await index.prepare(LARGER);
        await write([indexed(passageOf('shop', { documentId: '3.md', text: 'kettle three' }), [1, 0, 0])]);
        await write([indexed(passageOf('shop', { documentId: '1.md', text: 'kettle first' }), [1, 0, 0])]);
        expect(await index.deleteDocument('shop', '2.md')).toBe(true);
        expect(await findIn(FINGERPRINT)).toEqual(all('kettle one'));
        expect(await index.prepare(LARGER)).toBe(false);
        expect(await findIn(LARGER)).toEqual(all('kettle first', 'kettle three'));
      });

      test('loses nothing of what was written where it goes back half-way', async () => {
        await index.prepare(LARGER);
        const three = passageOf('shop', { documentId: '3.md', text: 'kettle three' });
        await write([indexed(three, [1, 0, 0])]);
        expect(await index.prepare(FINGERPRINT)).toBe(true);
        expect(await hashes()).toEqual(['a', 'a', '']);
        expect(await index.readDocument('shop', '3.md')).toEqual([three]);
        await write([indexed(three, axis(0))]);
        expect(await index.prepare(FINGERPRINT)).toBe(false);
        expect(await findIn(FINGERPRINT)).toEqual(all('kettle one', 'kettle three', 'kettle two'));
      });

      test('shows a search at any moment the whole of one making, never a mixture or a gap', async () => {
        const documents = Array.from({ length: 20 }, (_, number) =>
          passageOf('shop', { documentId: `${number + 1}.md`, text: `kettle ${number}` }),
        );
        for (const passage of documents) await write([indexed(passage, axis(0))]);
        let goingOver = true;
        const seen = { old: 0, new: 0 };
        const watch = async (): Promise<void> => {
          while (goingOver || seen.new === 0) {
            const madeWith = (await index.searchedWith()) as IndexFingerprint;
            const isOld = madeWith.embedder === FINGERPRINT.embedder;
            const found = await findIn(isOld ? FINGERPRINT : LARGER).catch((thrown) => {
              // It went over between the two calls: the next round asks again.
              expect(thrown).toMatchObject({ code: 'conflict' });
              return null;
            });
            if (found === null) continue;
            expect(found[0]).toHaveLength(20);
            expect(found[1]).toHaveLength(20);
            seen[isOld ? 'old' : 'new'] += 1;
          }
        };
        const watching = watch();
        while (seen.old === 0) await new Promise(setImmediate);
        await index.prepare(LARGER);
        for (const passage of documents) await write([indexed(passage, [1, 0, 0])]);
        expect(await index.prepare(LARGER)).toBe(false);
        goingOver = false;
        await watching;
      });

      test('goes over at once where it is empty, and works without an embedder', async () => {
        for (const documentId of ['1.md', '2.md']) await index.deleteDocument('shop', documentId);
        const without = { embedder: 'none', dimensions: 0, analyzer: 'askbase-1' };
        expect(await index.prepare(without)).toBe(false);
        await write([indexed(passageOf('shop', { text: 'kettle' }))]);
        expect((await find('kettle', null, { madeWith: without })).lexical).toHaveLength(1);
      });
    });
  });
}

/** Passages of random words in two languages, a few to a document, and questions about them. */
function syntheticCorpus(size: number): {
  documents: IndexedPassage[][];
  questions: { question: string; vector: number[] }[];
} {
  const random = seededRandom(7);
  const words =
    '水壶 退货 运费 保修 发票 会员 积分 维修 安装 清洗 kettle return fee warranty invoice member filter clean'.split(
      ' ',
    );
  // Squared, so that some words are common and some rare.
  const word = (): string => words[Math.floor(random() ** 2 * words.length)] as string;
  const sentence = (length: number): string => Array.from({ length }, word).join(' ');
  const vector = (): number[] => Array.from({ length: DIMENSIONS }, () => random() * 2 - 1);
  const documents = Array.from({ length: size / 4 }, (_, number) =>
    [0, 1, 2, 3].map((position) => {
      const text = sentence(3 + Math.floor(random() * 40));
      return indexed(passageOf('shop', { documentId: `${number}.md`, text, position }), vector());
    }),
  );
  return {
    documents,
    questions: Array.from({ length: 10 }, () => ({ question: sentence(4), vector: vector() })),
  };
}

/** Terms that count differently, as those of a question may. */
function weigh(question: string): Map<string, number> {
  return new Map(termsOf(question).map((term, at) => [term, 1 / (1 + (at % 3))]));
}

type Scored = { id: string; score: number };

function bruteForceLexical(passages: readonly IndexedPassage[], question: string): Scored[] {
  const weighed = passages.map(({ passage, terms: { keys, weights } }) => {
    return { id: passage.id, weights: new Map(Array.from(keys, (key, at) => [key, weights[at] as number])) };
  });
  const { keys, weights: counts } = weighQuestionTerms('shop', weigh(question));
  const idfs = Array.from(keys, (key) => {
    const holders = weighed.filter(({ weights }) => weights.has(key)).length;
    return inverseDocumentFrequency(passages.length, holders);
  });
  return weighed
    .map(({ id, weights }) => ({
      id,
      score: keys.reduce(
        (sum, key, at) => sum + (weights.get(key) ?? 0) * (counts[at] as number) * (idfs[at] as number),
        0,
      ),
    }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score);
}

function bruteForceDense(passages: readonly IndexedPassage[], question: Float32Array): Scored[] {
  return passages
    .map(({ passage, vector }) => ({
      id: passage.id,
      score: question.reduce((sum, value, at) => sum + value * (vector?.[at] ?? 0), 0),
    }))
    .sort((a, b) => b.score - a.score);
}

/** Scores agree rank by rank; a passage may trade places only with one of practically the same score. */
function expectSameOrder(hits: readonly BranchHit[], expected: readonly Scored[], limit: number): void {
  const scores = new Map(expected.map(({ id, score }) => [id, score]));
  expect(hits).toHaveLength(Math.min(limit, expected.length));
  hits.forEach(({ passage, score }, at) => {
    expect(score).toBeCloseTo(expected[at]?.score as number, 4);
    expect(scores.get(passage.id)).toBeCloseTo(score, 4);
  });
}
