/** Opens an index, lets it read everything, and says how long that took and what memory it holds then. */
import { createSqlitePassageIndex } from '../src/retrieve/sqlite-passage-index.js';

const [file] = process.argv.slice(2);
const before = process.memoryUsage.rss();
const start = performance.now();
const index = await createSqlitePassageIndex({ file: file as string });
const reason = await index.isReady();
if (reason !== null) throw new Error(reason);
const ms = performance.now() - start;
process.send?.({ ms, bytes: process.memoryUsage.rss() - before });
await index.close();
