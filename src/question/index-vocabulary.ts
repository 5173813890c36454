import type { KnowledgeBase } from '../ingest/knowledge-base.js';
import type { PassageIndex } from '../retrieve/passage-index.js';
import type { Passage } from '../types.js';
import { collectVocabulary, type Vocabulary } from './vocabulary.js';

/** Gives the words of a knowledge base as they are indexed. Throws what the index throws. */
export type VocabularyOf = (knowledgeBase: KnowledgeBase) => Promise<Vocabulary>;

/** Documents that are read for their words: enough for the words people ask with. */
const MAX_DOCUMENTS = 2_000;
/** A changed knowledge base is read again after so long; meanwhile its old words serve. */
const FRESH_MS = 30_000;
/** Of a large one, looking whether it has changed may take at most so small a part of the time. */
const LOOKING_SHARE = 0.01;

interface Entry {
  vocabulary: Promise<Vocabulary>;
  /** What it was made from. */
  state: string;
  checkedAt: number;
  freshMs: number;
}

/** Reads words from the index at the first question of a knowledge base, and again when its documents have changed. */
export function createIndexVocabulary(
  index: Pick<PassageIndex, 'listDocuments' | 'readDocument'>,
  { now = () => performance.now() } = {},
): VocabularyOf {
  const entries = new Map<string, Entry>();

  const read = async (knowledgeBase: KnowledgeBase): Promise<Entry> => {
    const start = now();
    const documents = await index.listDocuments(knowledgeBase.id);
    const { dictionary, synonyms } = knowledgeBase;
    const state = JSON.stringify([documents.map(({ contentHash }) => contentHash), dictionary, synonyms]);
    const known = entries.get(knowledgeBase.id);
    const freshMs = Math.max(FRESH_MS, (now() - start) / LOOKING_SHARE);
    if (known?.state === state) return { ...known, checkedAt: now(), freshMs };
    const passages: Passage[] = [];
    for (const { documentId } of documents.slice(0, MAX_DOCUMENTS)) {
      passages.push(...(await index.readDocument(knowledgeBase.id, documentId)));
    }
    const languages = { en: 0, zh: 0 };
    for (const { language, passages: count } of documents) languages[language] += count;
    const vocabulary = { ...collectVocabulary(passages, knowledgeBase), languages };
    return { vocabulary: Promise.resolve(vocabulary), state, checkedAt: now(), freshMs };
  };

  return async (knowledgeBase) => {
    const { id } = knowledgeBase;
    const known = entries.get(id);
    if (known !== undefined && now() - known.checkedAt < known.freshMs) return known.vocabulary;
    const reading = read(knowledgeBase).then((entry) => {
      entries.set(id, entry);
      return entry.vocabulary;
    });
    if (known === undefined) {
      entries.set(id, { vocabulary: reading, state: '', checkedAt: now(), freshMs: FRESH_MS });
      reading.catch(() => entries.delete(id));
      return reading;
    }
    entries.set(id, { ...known, checkedAt: now() });
    reading.catch(() => undefined);
    return known.vocabulary;
  };
}
