import { Field, FixedSizeList, Float32, Schema, Utf8 } from 'apache-arrow';

/**
 * LanceDB as its documentation has hybrid search: full text and vector, fused by reciprocal rank. Words come separated by
 * spaces, so that it searches by the very same terms.
 */
// Before the library is there: it would write a deprecation notice for every query.
process.env.LANCEDB_LOG = 'error';
const lancedb = await import('@lancedb/lancedb');
const [dir] = process.argv.slice(2);
const database = await lancedb.connect(dir);
const reranker = await lancedb.rerankers.RRFReranker.create();
let table;

const operations = {
  create: async ({ dimensions }) => {
    const vector = new FixedSizeList(dimensions, new Field('item', new Float32()));
    const fields = ['id', 'documentId', 'language', 'passage', 'words'].map(
      (name) => new Field(name, new Utf8()),
    );
    const schema = new Schema([...fields, new Field('vector', vector)]);
    table = await database.createEmptyTable('passages', schema);
  },
  add: async ({ rows }) => {
    await table.add(rows.map((row) => ({ ...row, vector: Array.from(row.vector) })));
  },
  indexWords: async () => {
    await table.createIndex('words', {
      config: lancedb.Index.fts({
        baseTokenizer: 'whitespace',
        withPosition: false,
        lowercase: false,
        stem: false,
        removeStopWords: false,
        asciiFolding: false,
      }),
    });
    await table.createIndex('language', { config: lancedb.Index.bitmap() });
    await table.optimize();
  },
  indexVectors: async () => {
    await table.createIndex('vector', { config: lancedb.Index.ivfPq({ distanceType: 'cosine' }) });
  },
  hybrid: async ({ vector, words, where, limit }) => {
    let query = table
      .query()
      .fullTextSearch(words, { columns: ['words'] })
      .nearestTo(vector)
      .distanceType('cosine')
      .rerank(reranker)
      .select(['id', 'passage'])
      .limit(limit);
    if (where !== undefined) query = query.where(where);
    return (await query.toArray()).map(({ id }) => id);
  },
  dense: async ({ vector, limit }) =>
    (await table.query().nearestTo(vector).distanceType('cosine').select(['id']).limit(limit).toArray()).map(
      ({ id }) => id,
    ),
};

process.on('message', async ({ id, operation, ...input }) => {
  try {
    const start = performance.now();
    const result = await operations[operation](input);
    process.send({ id, result, ms: performance.now() - start });
  } catch (error) {
    process.send({ id, error: String(error) });
  }
});
process.send({ ready: true });
