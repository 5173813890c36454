import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { CacheHit } from '../frames.js';
import { readClaim, type TermAnalyzer } from '../ground/evidence.js';
import { exchangedNames } from '../ground/exchanged-names.js';
import { normalizeQuestion } from '../question/normalize-question.js';
import type { Embedder } from '../retrieve/embedder.js';
import { isTraditional } from './answer-language.js';
import type { AnswerRequest } from './answerer.js';

export interface AnswerCacheOptions {
  embedder: Embedder | null;
  analyzer: TermAnalyzer;
  /**
   * Everything but the question that the answer depends on: the prompt with the passages in their order, and the
   * models. What is not in it would be answered wrongly from the cache.
   */
  contextOf: (request: AnswerRequest) => string;
}

export interface CachedAnswer {
  /** As the model wrote it, with its markers. */
  text: string;
  hit: CacheHit;
}

/** Answers a model wrote before, for the same question or one that means the same, on the same passages. */
export interface AnswerCache {
  /** Null for no such answer, and for a request that is never answered from here. */
  find(request: AnswerRequest, options: { signal: AbortSignal }): Promise<CachedAnswer | null>;
  keep(request: AnswerRequest, text: string, options: { signal: AbortSignal }): Promise<void>;
}

/** Contexts remembered, and questions in each; the oldest go first. */
const MOST_CONTEXTS = 500;
const MOST_QUESTIONS = 8;
/** Cosine of two questions that may mean the same; what else must agree is in `saysTheSame`. */
const SAME_MEANING = 0.95;

interface Entry {
  /** As `comparable` writes it, and as it was asked: only there a name has its capital. */
  question: string;
  asked: string;
  vector: Float32Array | null;
  text: string;
  messageId: string;
}

/**
 * Retrieval runs before the cache is asked, and the passages it found are part of the key: whatever way the knowledge
 * changed, and whichever process changed it, an answer from other passages is not found.
 */
export function createAnswerCache({ embedder, analyzer, contextOf }: AnswerCacheOptions): AnswerCache {
  const contexts = new LRUCache<string, Entry[]>({ max: MOST_CONTEXTS });

  const embed = async (question: string, signal: AbortSignal): Promise<Float32Array | null> => {
    if (embedder === null) return null;
    // Without a vector there is the exact match still.
    const [vector] = await embedder.embed([question], { kind: 'query', signal }).catch(() => []);
    return vector ?? null;
  };

  const findByMeaning = async (
    entries: readonly Entry[],
    asked: string,
    signal: AbortSignal,
  ): Promise<CachedAnswer | null> => {
    const vector = await embed(asked, signal);
    const [best] = entries
      .map((entry) => ({ entry, similarity: cosine(vector, entry.vector) }))
      .filter(({ entry, similarity }) => {
        return similarity >= SAME_MEANING && saysTheSame(asked, entry.asked, analyzer);
      })
      .toSorted((a, b) => b.similarity - a.similarity);
    if (best === undefined) return null;
    const { messageId, text } = best.entry;
    return { text, hit: { kind: 'meaning', similarity: best.similarity, messageId } };
  };

  return {
    async find(request, { signal }) {
      const entries = isCacheable(request) ? contexts.get(keyOf(request, contextOf)) : undefined;
      if (entries === undefined) return null;
      const question = comparable(request);
      const same = entries.find((entry) => entry.question === question);
      if (same !== undefined)
        return { text: same.text, hit: { kind: 'exact', similarity: 1, messageId: same.messageId } };
      return findByMeaning(entries, request.question.standalone, signal);
    },
    async keep(request, text, { signal }) {
      if (!isCacheable(request)) return;
      const key = keyOf(request, contextOf);
      const question = comparable(request);
      const asked = request.question.standalone;
      const vector = await embed(asked, signal);
      const others = (contexts.get(key) ?? []).filter((entry) => entry.question !== question);
      const entry = { question, asked, vector, text, messageId: request.messageId };
      contexts.set(key, [...others, entry].slice(-MOST_QUESTIONS));
    },
  };
}

/** A question that the prompt has no earlier turns with, where the knowledge base wants it. */
function isCacheable({ knowledgeBase, turns, images }: AnswerRequest): boolean {
  const hasHistory = turns.some(({ unanswered }) => unanswered !== true);
  return knowledgeBase.answerCache && !hasHistory && images.length === 0;
}

function keyOf(request: AnswerRequest, contextOf: AnswerCacheOptions['contextOf']): string {
  const { knowledgeBase, owner, question } = request;
  const parts = [
    knowledgeBase.id,
    owner,
    question.language,
    isTraditional(question.text),
    contextOf(request),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}

function comparable({ question }: AnswerRequest): string {
  return normalizeQuestion(question.standalone)
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s?？!！.。]+$/u, '')
    .replaceAll(/\s+/g, ' ');
}

/** Numbers, negation and names agree: embeddings hardly see these. */
function saysTheSame(one: string, other: string, analyzer: TermAnalyzer): boolean {
  const [a, b] = [readClaim(one, analyzer), readClaim(other, analyzer)];
  const numbers = (claim: typeof a): string =>
    claim.quantities
      .map(({ value, unit }) => `${value} ${unit ?? ''}`)
      .toSorted()
      .join();
  const negations = (claim: typeof a): number => claim.clauses().filter(({ isNegated }) => isNegated).length;
  return (
    numbers(a) === numbers(b) &&
    negations(a) === negations(b) &&
    exchangedNames(a, b, other).length === 0 &&
    exchangedNames(b, a, one).length === 0
  );
}

/** Of unit vectors; -1 where one is missing. */
function cosine(a: Float32Array | null, b: Float32Array | null): number {
  if (a === null || b === null || a.length !== b.length) return -1;
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}
