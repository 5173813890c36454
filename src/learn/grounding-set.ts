import type { Source } from '../frames.js';
import { detectLanguage } from '../language.js';
import { splitSentences } from '../sentences.js';
import type { Language, Passage } from '../types.js';
import { exchangeNumbers, joinSentences, type Neighbours } from './join-sentences.js';
import { PARAPHRASES } from './paraphrase.js';
import { seededRandom } from './seeded-random.js';
import { TAMPERINGS } from './tamper.js';

/** What sentences are taken from. */
export interface GroundingCorpus {
  name: string;
  passages: readonly Passage[];
  /** Names that answer questions on a document, by its id. */
  names: ReadonlyMap<string, readonly string[]>;
}

/** An answer of one sentence with its marker, and whether its citation is right. */
export interface GroundingCase {
  corpus: string;
  language: Language;
  /** `right`, `swapped` or `changed`, and after a colon in which way. */
  kind: string;
  answer: string;
  sources: readonly Source[];
}

const SOURCES = 5;
const SENTENCES_PER_PASSAGE = 2;
/** Characters: shorter ones say little, longer ones are no sentences of answers. */
const LENGTHS: Record<Language, [number, number]> = { zh: [10, 120], en: [40, 320] };
const NO_STATEMENT = /^\s*(?:#|\||>|`)|[?？:：]$|\[\d|https?:/;

/**
 * Sentences of passages as answers that cite: as they are and mechanically paraphrased with the right number, with
 * the number of another passage, and with one thing changed. Seeded: the same corpus always gives the same cases.
 */
export function makeGroundingCases(
  corpus: GroundingCorpus,
  limit = Number.POSITIVE_INFINITY,
): GroundingCase[] {
  const random = seededRandom(corpus.passages.length);
  const statements = shuffle(
    corpus.passages.flatMap((passage) => pickStatements(passage, random)),
    random,
  );
  return statements
    .slice(0, limit)
    .flatMap((statement) => casesOf(statement, { passage: statement.passage, corpus, random }));
}

interface Statement {
  passage: Passage;
  text: string;
  /** The sentence behind it in the same paragraph, where that states something too. */
  next?: string;
}

function pickStatements(passage: Passage, random: () => number): Statement[] {
  return shuffle(readStatements(passage), random).slice(0, SENTENCES_PER_PASSAGE);
}

function readStatements(passage: Passage): Statement[] {
  const sentences = splitSentences(passage.text).map(({ start, end, text }) => ({
    start,
    end,
    text: text.replace(/^(?:[-*+•]|\d{1,2}[.)、])\s*/, '').replaceAll(/\s+/g, ' '),
  }));
  return sentences.flatMap(({ end, text }, place): Statement[] => {
    if (!isStatement(text)) return [];
    const behind = sentences[place + 1];
    const follows =
      behind !== undefined &&
      isStatement(behind.text) &&
      !passage.text.slice(end, behind.start).includes('\n');
    return [{ passage, text, ...(follows ? { next: behind.text } : {}) }];
  });
}

function isStatement(text: string): boolean {
  const [shortest, longest] = LENGTHS[detectLanguage(text)];
  return text.length >= shortest && text.length <= longest && !NO_STATEMENT.test(text);
}

interface Place {
  passage: Passage;
  corpus: GroundingCorpus;
  random: () => number;
}

function casesOf({ text, next }: Statement, { passage, corpus, random }: Place): GroundingCase[] {
  const language = detectLanguage(text);
  const neighbours = shuffle(
    corpus.passages.filter((other) => other.id !== passage.id && isNear(other, passage)),
    random,
  ).slice(0, 2);
  const strangers = pickStrangers({ passage, corpus, random }, SOURCES);
  const others = [...neighbours, ...strangers].slice(0, SOURCES - 1);
  const place = Math.floor(random() * SOURCES);
  const shown = [...others.slice(0, place), passage, ...others.slice(place)];
  const right = shown.indexOf(passage) + 1;
  const sources = shown.map(toSource);
  const make = (kind: string, answer: string, cited: number, from = sources): GroundingCase => ({
    corpus: corpus.name,
    language,
    kind,
    answer: `${answer} [${cited}]`,
    sources: from,
  });

  const near = neighbours[0] === undefined ? -1 : shown.indexOf(neighbours[0]);
  const far = shown.findIndex((other) => strangers.includes(other));
  const other = near === -1 ? far : near;
  const second = shown[other] && readStatements(shown[other])[0];
  const withSecond = (marker: string): string | undefined =>
    second && joinSentences([text, second.text], language, marker);
  const elsewhere = strangers.slice(0, SOURCES);
  const names = {
    here: corpus.names.get(passage.documentId) ?? [],
    elsewhere: strangers.flatMap(({ documentId }) => corpus.names.get(documentId) ?? []),
  };
  return [
    make('right:verbatim', text, right),
    ...Object.entries(PARAPHRASES).flatMap(([way, paraphrase]) => {
      const said = paraphrase(text, language);
      return said === undefined ? [] : [make(`right:${way}`, said, right)];
    }),
    ...(near === -1 ? [] : [make('swapped:near', text, near + 1)]),
    ...(far === -1 ? [] : [make('swapped:far', text, far + 1)]),
    ...(elsewhere.length === 0
      ? []
      : [make('swapped:other-answer', text, 1 + (place % elsewhere.length), elsewhere.map(toSource))]),
    ...Object.entries(TAMPERINGS).flatMap(([what, tamper]) => {
      const said = tamper(text, { language, passage: passage.text, names, random });
      return said === undefined ? [] : [make(`changed:${what}`, said, right)];
    }),
    ...(next === undefined
      ? []
      : casesOfNeighbours([text, next], language).map(({ kind, said }) => make(kind, said, right))),
    ...(second === undefined
      ? []
      : [
          { kind: 'right:two-sources', said: withSecond(` [${right}]`), cited: other + 1 },
          { kind: 'swapped:two-sources', said: withSecond(` [${other + 1}]`), cited: right },
        ].flatMap(({ kind, said, cited }) => (said === undefined ? [] : [make(kind, said, cited)]))),
  ];
}

/** Two sentences of a passage said as one, or in one list item, and with their numbers exchanged. */
function casesOfNeighbours(neighbours: Neighbours, language: Language): { kind: string; said: string }[] {
  const exchanged = exchangeNumbers(neighbours, language);
  return [
    { kind: 'right:joined', said: joinSentences(neighbours, language) },
    { kind: 'right:listed', said: `- ${neighbours.join(language === 'zh' ? '' : ' ')}` },
    { kind: 'changed:exchanged', said: exchanged && joinSentences(exchanged, language) },
  ].flatMap(({ kind, said }) => (said === undefined ? [] : [{ kind, said }]));
}

/** Passages of the same document, or of documents on the same thing. */
function isNear(a: Passage, b: Passage): boolean {
  return (
    a.language === b.language && (a.documentId === b.documentId || (a.title !== '' && a.title === b.title))
  );
}

function pickStrangers({ passage, corpus, random }: Place, count: number): Passage[] {
  const found: Passage[] = [];
  for (let tries = 0; tries < 20 * count && found.length < count; tries += 1) {
    const other = corpus.passages[Math.floor(random() * corpus.passages.length)];
    if (other === undefined || other.language !== passage.language || isNear(other, passage)) continue;
    if (!found.includes(other)) found.push(other);
  }
  return found;
}

function toSource({ id, documentId, title, headings, text }: Passage, index: number): Source {
  const n = index + 1;
  return {
    n,
    passageId: id,
    documentId,
    title,
    headings,
    text,
    scores: { fused: { score: 1 / n, rank: n } },
  };
}

function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const shuffled = [...items];
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T];
  }
  return shuffled;
}
