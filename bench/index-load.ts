import type { PassageIndex } from '../src/retrieve/passage-index.js';
import type { DocumentSummary } from '../src/types.js';
import {
  PASSAGES_PER_DOCUMENT,
  type SyntheticCorpus,
  type SyntheticPassage,
  type SyntheticQuestion,
} from './index-corpus.js';
import type { LancePeer } from './index-peer.js';

/** Documents written at the same time, as an import does it. */
const IN_FLIGHT = 8;
const PEER_BATCH = 5_000;
const BATCH = IN_FLIGHT * PASSAGES_PER_DOCUMENT;
/** Questions for which all vectors are compared. */
const COMPARED = 100;
const NEAREST = 10;
const { signal } = new AbortController();

export interface Load {
  /** Writing alone: passages are computed in between. */
  ms: number;
  peerMs: number;
  /** Ids of the nearest passages, by question. */
  nearest: string[][];
}

/** Writes the same passages to the index and to the peer, and finds the nearest ones of some questions by comparing all. */
export async function loadCorpus(
  corpus: SyntheticCorpus,
  options: {
    passages: number;
    index: PassageIndex;
    peer?: Pick<LancePeer, 'add'>;
    questions: readonly SyntheticQuestion[];
  },
): Promise<Load> {
  const { passages, index, peer, questions } = options;
  const nearest = questions.slice(0, COMPARED).map(({ vector }) => createNearest(vector));
  let [ms, peerMs] = [0, 0];
  let pending: SyntheticPassage[] = [];
  for (let from = 0; from < passages; from += BATCH) {
    const count = Math.min(BATCH, passages - from);
    const batch = Array.from({ length: count }, (_, at) => corpus.passageAt(from + at));
    for (const passage of batch) for (const each of nearest) each.offer(passage);
    const start = performance.now();
    await Promise.all(
      documentsOf(batch).map(([summary, of]) => index.replaceDocument(summary, of, { signal })),
    );
    ms += performance.now() - start;
    if (peer === undefined) continue;
    pending.push(...batch);
    if (pending.length >= PEER_BATCH || from + BATCH >= passages) {
      peerMs += await peer.add(pending);
      pending = [];
    }
  }
  return { ms, peerMs, nearest: nearest.map(({ ids }) => ids()) };
}

function documentsOf(batch: readonly SyntheticPassage[]): [DocumentSummary, SyntheticPassage[]][] {
  const documents = new Map<string, SyntheticPassage[]>();
  for (const passage of batch) {
    const { documentId } = passage.passage;
    documents.set(documentId, [...(documents.get(documentId) ?? []), passage]);
  }
  return [...documents.values()].map((of) => {
    const { knowledgeBase, documentId, title, language, tags, updatedAt, id } = (of[0] as SyntheticPassage)
      .passage;
    const place = { knowledgeBase, documentId, title, language, tags, updatedAt };
    return [{ ...place, origin: 'upload', contentHash: id, passages: of.length }, of];
  });
}

function createNearest(question: Float32Array): { offer(passage: SyntheticPassage): void; ids(): string[] } {
  const best: { id: string; score: number }[] = [];
  return {
    offer: ({ passage, vector }) => {
      let score = 0;
      for (let at = 0; at < question.length; at += 1)
        score += (question[at] as number) * (vector[at] as number);
      if (best.length === NEAREST && score <= (best.at(-1)?.score as number)) return;
      best.push({ id: passage.id, score });
      best.sort((a, b) => b.score - a.score);
      best.splice(NEAREST);
    },
    ids: () => best.map(({ id }) => id),
  };
}
