import type { Source } from '../frames.js';
import { detectLanguage } from '../language.js';
import type { Analyzer, Lexicon } from '../retrieve/analyzer.js';
import type { Question } from '../types.js';
import { answersCues, asksForSteps } from './question-cues.js';
import { cutIntoPieces, type QuotablePiece } from './quotable-pieces.js';

/** Sentences of one source, in their order. */
export interface QuotedSource {
  source: Source;
  pieces: QuotablePiece[];
  /** The passage is the curated answer to this very question. */
  isWhole: boolean;
}

export interface ChooseOptions {
  analyzer: Pick<Analyzer, 'analyze' | 'analyzeQuestion'>;
  lexicon: Lexicon;
}

const MOST_SOURCES = 3;
const MOST_SENTENCES = 4;
const LONGEST_LIST = 10;
/** A sentence this much worse than the best one is about something else. */
const RELATIVE_CUT = 0.6;
/** Rows of a table are alike but for the one that is meant. */
const ROW_CUT = 0.8;
/** Another source must be nearly as good as the first one to be quoted as well. */
const OTHER_SOURCE_CUT = 0.8;
/** Words of title, headings and table header count, but say less than the sentence's own. */
const CONTEXT_WEIGHT = 0.5;
/** Words carried over from the conversation count less than those of the question. */
const CARRIED_WEIGHT = 0.5;
/** Words of the question's frame ("how long does … usually take") say nothing of its subject. */
const FRAME_WEIGHT = 0.25;
const FRAME_WORDS = new Set(
  (
    'long much mani often usual last take mean know need get happen work say tell use make thing someth anyth also still ' +
    '多久 多长 时间 多少 一般 通常 几天 意思 知道 需要 应该 处理 办 说 做 用 弄 回事 东西 有没有 多长时间 哪些 什么'
  ).split(' '),
);
/** A code (E07, WF-1000) is what the question is about. */
const CODE_WEIGHT = 2.5;
const USUAL_TERMS = 30;
const CUE_BONUS = 0.25;
/** The first sentence under a heading mostly gives the answer, the later ones its exceptions. */
const POSITION_BONUS = 0.05;
/** How much of the question a heading must say to be the same question. */
const SAME_QUESTION = 0.6;
const LONGEST_CURATED_ANSWER = 600;
const MOSTLY_ANSWERED = 0.5;
const SAME_WORDS = 0.75;

const REFERS_BACK =
  /^(?:it|its|they|them|their|this|that|these|those|he|she|such|so|then|therefore|otherwise|instead|also|however|but|and|in that case|if not|the same)\b|^(?:它|这|那|其|此|该|否则|不然|另外|同时|因此|所以|但|不过|而|并|也|如果不|同样)/i;

interface Scored {
  piece: QuotablePiece;
  index: number;
  score: number;
  /** The share of the question that its own words have. */
  own: number;
  terms: ReadonlySet<string>;
}

/**
 * The two to five sentences (or the list, or the table rows) that answer the question best, by the terms they share
 * with it (rare ones count more), the kind of fact it asks for, their place, and the order of the reranker.
 */
export function chooseQuotes(
  question: Question,
  sources: readonly Source[],
  { analyzer, lexicon }: ChooseOptions,
): QuotedSource[] {
  const own = new Set(analyzer.analyzeQuestion(question.text, lexicon));
  const wanted = new Set([...own, ...analyzer.analyzeQuestion(question.standalone, lexicon)]);
  const termsOf = (text: string): Set<string> => new Set(analyzer.analyze(text, lexicon));

  const curated = findCuratedAnswer(sources, wanted, (text) => analyzer.analyzeQuestion(text, lexicon));
  if (curated !== undefined) return [curated];

  const read = sources.map((source) => ({ source, pieces: cut(source) }));
  const weigh = weighTerms(
    wanted,
    own,
    read.flatMap(({ pieces }) => pieces.map(({ words }) => termsOf(words))),
  );
  const scored = read
    .filter(({ pieces }) => pieces.length > 0)
    .map(({ source, pieces }) => {
      const around = termsOf([source.title, ...source.headings].join(' '));
      const all = pieces.map((piece, index): Scored => {
        const terms = termsOf(piece.words);
        const context = new Set([...around, ...termsOf(piece.context)]);
        const own = weigh(terms);
        const overlap = own * favourShort(terms.size) + CONTEXT_WEIGHT * weigh(context, terms);
        const cue = overlap > 0 ? CUE_BONUS * answersCues(question.standalone, piece.text) : 0;
        const place = POSITION_BONUS / (1 + index);
        return { piece, index, terms, own, score: (overlap + cue + place) * trust(source) };
      });
      return { source, pieces, scored: all, best: Math.max(...all.map(({ score }) => score)) };
    })
    .toSorted((a, b) => b.best - a.best);

  const bestOfAll = scored[0]?.best ?? 0;
  return scored
    .filter(({ best }, index) => index === 0 || best >= OTHER_SOURCE_CUT * bestOfAll)
    .slice(0, MOST_SOURCES)
    .reduce<{ quotes: QuotedSource[]; said: Scored[] }>(
      ({ quotes, said }, { source, pieces, scored: all }, place) => {
        const room = place === 0 ? MOST_SENTENCES : Math.max(0, MOST_SENTENCES - said.length);
        const chosen = takeBest(all, bestOfAll, room, said);
        const complete = completePieces(pieces, chosen, question, place === 0);
        return complete.length === 0
          ? { quotes, said }
          : { quotes: [...quotes, { source, pieces: complete, isWhole: false }], said: [...said, ...chosen] };
      },
      { quotes: [], said: [] },
    ).quotes;
}

function cut({ text }: Source): QuotablePiece[] {
  return cutIntoPieces(text, detectLanguage(text));
}

/** A long sentence has many words by chance: 1 at the usual length, less above it. */
function favourShort(terms: number): number {
  return 1 / (0.75 + 0.25 * Math.max(1, terms / USUAL_TERMS));
}

/** The reranker's opinion where there is one, else the order of the search. */
function trust({ n, scores }: Source): number {
  return scores.rerank === undefined ? 1 / (1 + 0.15 * (n - 1)) : 0.2 + 0.8 * scores.rerank.sigmoid;
}

/** The question a passage answers, where its heading is one: curated pairs, mostly. */
export function askedQuestion({ headings }: Source): string | undefined {
  const heading = headings.at(-1);
  return heading !== undefined && /[?？]\s*$/.test(heading) ? heading : undefined;
}

/** A short passage under a heading that asks the same question is its answer, whole: FAQ entries, mostly. */
function findCuratedAnswer(
  sources: readonly Source[],
  wanted: ReadonlySet<string>,
  questionTermsOf: (text: string) => string[],
): QuotedSource | undefined {
  for (const source of sources) {
    const heading = askedQuestion(source);
    if (heading === undefined || source.text.length > LONGEST_CURATED_ANSWER) continue;
    const asked = new Set(questionTermsOf(heading));
    const shared = [...wanted].filter((term) => asked.has(term)).length;
    if (shared / Math.max(wanted.size, asked.size) < SAME_QUESTION) continue;
    return { source, pieces: cut(source), isWhole: true };
  }
  return undefined;
}

/** Gives the share of the question, by weight, that a set of terms has (and another one does not). */
function weighTerms(
  wanted: ReadonlySet<string>,
  own: ReadonlySet<string>,
  pieces: readonly ReadonlySet<string>[],
): (terms: ReadonlySet<string>, except?: ReadonlySet<string>) => number {
  const weights = new Map(
    [...wanted].map((term) => {
      const having = pieces.filter((terms) => terms.has(term)).length;
      const rarity = Math.log(1 + (pieces.length + 1) / (having + 1));
      return [term, rarity * kindWeight(term) * (own.has(term) ? 1 : CARRIED_WEIGHT)];
    }),
  );
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0) || 1;
  return (terms, except) => {
    let sum = 0;
    for (const [term, weight] of weights) if (terms.has(term) && !except?.has(term)) sum += weight;
    return sum / total;
  };
}

function kindWeight(term: string): number {
  if (FRAME_WORDS.has(term)) return FRAME_WEIGHT;
  return /\d/.test(term) && /[a-z]/.test(term) ? CODE_WEIGHT : 1;
}

function takeBest(
  all: readonly Scored[],
  bestOfAll: number,
  room: number,
  said: readonly Scored[],
): Scored[] {
  const chosen: Scored[] = [];
  for (const candidate of all.toSorted((a, b) => b.score - a.score)) {
    const cut = candidate.piece.kind === 'row' ? ROW_CUT : RELATIVE_CUT;
    if (chosen.length >= room || candidate.score < RELATIVE_CUT * bestOfAll) break;
    if (candidate.score < cut * bestOfAll) continue;
    if (![...said, ...chosen].some((other) => saysTheSame(candidate.terms, other.terms)))
      chosen.push(candidate);
  }
  return chosen;
}

function saysTheSame(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  const shared = [...a].filter((term) => b.has(term)).length;
  return shared / Math.max(1, a.size + b.size - shared) >= SAME_WORDS;
}

/** Adds what the chosen pieces need to be understood: the rest of a list of steps, the sentence "it" refers to. */
function completePieces(
  pieces: readonly QuotablePiece[],
  chosen: readonly Scored[],
  question: Question,
  isFirst: boolean,
): QuotablePiece[] {
  const wanted = new Set(chosen.map(({ index }) => index));
  for (const { index, piece } of chosen) {
    const list = findList(pieces, index, asksForSteps(question.standalone));
    for (const item of list) wanted.add(item);
    if (
      piece.kind === 'sentence' &&
      REFERS_BACK.test(piece.text) &&
      pieces[index - 1]?.block === piece.block
    ) {
      wanted.add(index - 1);
    }
  }
  for (const row of isFirst ? findTable(pieces, chosen, question.standalone) : []) wanted.add(row);
  const [only] = chosen;
  const next = only === undefined ? undefined : pieces[only.index + 1];
  if (isFirst && wanted.size === 1 && only?.piece.kind === 'sentence' && next?.block === only.piece.block) {
    wanted.add(only.index + 1);
  }
  return pieces.filter((_, index) => wanted.has(index));
}

/**
 * The whole table, where its rows have the kind of fact that is asked for and no sentence says much of the question:
 * which row is meant cannot be told from the words ("how long is the warranty on a frying pan?": Cookware, 5 years).
 */
function findTable(pieces: readonly QuotablePiece[], chosen: readonly Scored[], question: string): number[] {
  const [best] = chosen;
  const hasRow = chosen.some(({ piece }) => piece.kind === 'row');
  if (best === undefined || best.own > MOSTLY_ANSWERED || hasRow) return [];
  const first = pieces.find((piece) => piece.kind === 'row' && answersCues(question, piece.words) > 0);
  const rows = pieces.flatMap((piece, index) => (piece.block === first?.block ? [index] : []));
  return rows.length <= LONGEST_LIST ? rows : [];
}

/**
 * The whole list with the sentence that opens it, where an item of it was chosen and steps are asked for, or where
 * the opening sentence itself was chosen.
 */
function findList(pieces: readonly QuotablePiece[], index: number, steps: boolean): number[] {
  const piece = pieces[index];
  if (piece === undefined) return [];
  const opens = piece.kind === 'sentence' && /[:：]["”*]*$/.test(piece.text);
  if (!opens && !(piece.kind === 'item' && (steps || piece.number !== undefined))) return [];
  const block = opens ? piece.block + 1 : piece.block;
  const members = pieces.flatMap((other, place) => (other.block === block ? [place] : []));
  const opening = pieces.findIndex((other) => other.kind === 'sentence' && other.text === piece.context);
  if (members.length > LONGEST_LIST) return [];
  return opening === -1 ? members : [opening, ...members];
}
