import { weighPassageTerms } from '../src/retrieve/lexical-weights.js';
import type { IndexedPassage } from '../src/retrieve/passage-index.js';
import type { Language, Passage } from '../src/types.js';
import { seededRandom } from '../test/support/seeded-random.js';

/** The bundled embedder's. */
export const DIMENSIONS = 256;
export const KNOWLEDGE_BASE = 'bench';
export const PASSAGES_PER_DOCUMENT = 10;
export const TAGS = [
  'returns',
  'warranty',
  'setup',
  'billing',
  'travel',
  'safety',
  'parts',
  'health',
] as const;

export const FINGERPRINT = { embedder: 'synthetic', dimensions: DIMENSIONS, analyzer: 'synthetic' };

const TOPICS = 400;
/** Passages of one topic fall into some that say nearly the same. */
const STATEMENTS_PER_TOPIC = 25;
const WORDS = 40_000;
const TOPIC_WORDS = 300;
const SHARE_OF_TOPIC_WORDS = 0.45;
/** Passages take their noise from somewhere in this much of it: drawing it anew would be most of the bench's time. */
const NOISE = 1 << 20;

export interface SyntheticPassage extends IndexedPassage {
  vector: Float32Array;
  /** What `terms` were weighed from, repeats kept: for peers, which thereby search by the very same words. */
  words: string[];
}

export interface SyntheticQuestion {
  vector: Float32Array;
  terms: string[];
}

/**
 * Passages as a large knowledge base has them, each computed from its number alone: half Chinese, half English; words
 * by Zipf's law, of the language and of a topic; 60 to 200 words, in Chinese with the pairs of neighbouring characters
 * that the analyzer adds; vectors in clusters of clusters. No text is analysed or embedded: that is not what is timed.
 */
export interface SyntheticCorpus {
  passageAt(number: number): SyntheticPassage;
  questionAt(number: number, passages: number): SyntheticQuestion;
}

export function createSyntheticCorpus(seed = 1): SyntheticCorpus {
  const wordRank = createZipf(WORDS);
  const topicRank = createZipf(TOPIC_WORDS);
  const centres = directions(TOPICS, seed);
  const statements = directions(TOPICS * STATEMENTS_PER_TOPIC, seed + 1);
  const noise = gaussians(NOISE, seededRandom(seed + 2));

  const placeOf = (random: () => number): { topic: number; statement: number } => {
    const topic = Math.floor(random() ** 1.5 * TOPICS);
    return { topic, statement: topic * STATEMENTS_PER_TOPIC + Math.floor(random() * STATEMENTS_PER_TOPIC) };
  };
  const vectorOf = (topic: number, statement: number, random: () => number, spread: number): Float32Array => {
    const from = Math.floor(random() * (NOISE - DIMENSIONS));
    return toUnit(
      Float32Array.from({ length: DIMENSIONS }, (_, at) => {
        const own = statements[statement]?.[at] ?? 0;
        return (centres[topic]?.[at] ?? 0) + 0.8 * own + (spread * (noise[from + at] ?? 0)) / 16;
      }),
    );
  };
  const wordsOf = (topic: number, language: Language, length: number, random: () => number): string[] =>
    Array.from({ length }, () => {
      const rank =
        random() < SHARE_OF_TOPIC_WORDS ? (topicRank(random) * 97 + topic * 1009) % WORDS : wordRank(random);
      return language === 'en' ? englishWord(rank) : chineseWord(rank);
    });
  const languageOf = (number: number): Language => (number % 2 === 0 ? 'zh' : 'en');

  return {
    passageAt: (number) => {
      const random = seededRandom(seed * 7_919 + number);
      const { topic, statement } = placeOf(random);
      const document = Math.floor(number / PASSAGES_PER_DOCUMENT);
      const language = languageOf(document);
      const words = wordsOf(topic, language, 60 + Math.floor(random() * 140), random);
      const passage: Passage = {
        id: uuidOf(number),
        knowledgeBase: KNOWLEDGE_BASE,
        documentId: `${language}/${document}.md`,
        title: `Document ${document}`,
        headings: [`Topic ${topic}`],
        text: words.join(language === 'en' ? ' ' : ''),
        kind: 'text',
        language,
        tags: [TAGS[document % TAGS.length] as string],
        position: number % PASSAGES_PER_DOCUMENT,
        tokens: words.length,
        updatedAt: '2026-11-26T00:00:00.000Z',
      };
      const vector = vectorOf(topic, statement, random, 0.7);
      const searched = language === 'en' ? words : withPairs(words);
      return { passage, vector, words: searched, terms: weighPassageTerms(KNOWLEDGE_BASE, searched) };
    },
    questionAt: (number, passages) => {
      const random = seededRandom(seed * 104_729 + number);
      const asked = Math.floor(random() * passages);
      const { topic, statement } = placeOf(seededRandom(seed * 7_919 + asked));
      const language = languageOf(Math.floor(asked / PASSAGES_PER_DOCUMENT));
      const words = wordsOf(topic, language, 4 + Math.floor(random() * 7), random);
      return { vector: vectorOf(topic, statement, random, 0.5), terms: [...new Set(words)] };
    },
  };
}

/** Ranks from 0, the r-th as likely as 1 / (r + 1). */
function createZipf(size: number): (random: () => number) => number {
  const norm = Math.log(size + 1);
  return (random) => Math.min(size - 1, Math.floor(Math.exp(random() * norm)) - 1);
}

const SYLLABLES = 'ka te ri mo su len bar tin vo shi pra dol gen fu wes ich ol an er ut'.split(' ');

function englishWord(rank: number): string {
  let rest = rank;
  let word = '';
  do {
    word += SYLLABLES[rest % SYLLABLES.length];
    rest = Math.floor(rest / SYLLABLES.length);
  } while (rest > 0);
  return word;
}

/** Two characters out of 600, so that pairs across words often are words, as in real text. */
function chineseWord(rank: number): string {
  const character = (at: number): string => String.fromCodePoint(0x4e00 + (at % 600) * 13);
  return character(rank * 7) + character(Math.floor(rank / 3) + 11);
}

function withPairs(words: readonly string[]): string[] {
  const across = words.slice(1).map((word, at) => `${words[at]?.[1]}${word[0]}`);
  return [...words, ...across];
}

function directions(count: number, seed: number): Float32Array[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => toUnit(gaussians(DIMENSIONS, random)));
}

/** Box and Muller (1958). */
function gaussians(length: number, random: () => number): Float32Array {
  return Float32Array.from(
    { length },
    () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
}

function toUnit(values: Float32Array): Float32Array {
  const norm = Math.hypot(...values);
  return values.map((value) => value / norm);
}

function uuidOf(number: number): string {
  return `00000000-0000-5000-8000-${number.toString(16).padStart(12, '0')}`;
}
