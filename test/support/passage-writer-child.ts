/**
 * Writes documents of two passages one after the other, forever, and says after each that it was acknowledged.
 * Started as a child process by the test that kills it.
 */
import { createSqlitePassageIndex } from '../../src/retrieve/sqlite-passage-index.js';
import { documentOf, indexed, passageOf } from './passages.js';

const [file, start] = process.argv.slice(2);
const { signal } = new AbortController();
const index = await createSqlitePassageIndex({ file: file as string });
await index.prepare({ embedder: 'tiny', dimensions: 2, analyzer: 'askbase-1' });
for (let number = Number(start); ; number += 1) {
  const passages = [0, 1].map((position) =>
    passageOf('shop', { documentId: `${number}.md`, text: `kettle ${number} ${position}`, position }),
  );
  await index.replaceDocument(
    documentOf(passages[0] as (typeof passages)[0]),
    passages.map((passage) => indexed(passage, [1, number])),
    { signal },
  );
  process.stdout.write(`${number}\n`);
}
