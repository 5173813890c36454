import type { Citation, Source } from '../frames.js';
import { splitSentences } from '../sentences.js';
import { isCheckable } from './checkable.js';
import type { MarkerToken } from './citation-markers.js';
import {
  type Evidence,
  quote,
  readClaim,
  readEvidence,
  type TermAnalyzer,
  weighByRarity,
} from './evidence.js';
import type { Grounding, GroundingFrame } from './grounding.js';
import { type CitedClause, checkSentence } from './sentence-check.js';
import { createTidyMarkerReader } from './tidy-markers.js';

export interface GroundingOptions {
  analyzer: TermAnalyzer;
}

/** A marker of the unfinished sentence: it closes the clause from `start` to `end`. */
interface Mark {
  start: number;
  end: number;
  numbers: number[];
}

/** Only right after a stop, or behind the bullet of a new line, can it show that a sentence was over. */
const MAY_END_SENTENCE = /(?:[.!?。！？｡][^\p{L}\p{N}]*|\n.*)$/su;
const ENDING_LENGTH = 14;
/** Text without any stop is checked piece by piece, so that the work per character stays bounded. */
const LONGEST_SENTENCE = 1_000;
/** What a line may begin with before its text. */
const LINE_START = /^[\s>]*(?:[-*+•]|\d{1,3}[.)、]|\|)?\s*$/;

const LIST_ITEM = /^\s*(?:[-*+•]|\d{1,3}[.)])\s/;

/** Makes the `Grounding` of each answer. */
export function createGrounding({ analyzer }: GroundingOptions): (sources: readonly Source[]) => Grounding {
  return (sources) => followAnswer(sources, analyzer);
}

function followAnswer(sources: readonly Source[], analyzer: TermAnalyzer): Grounding {
  const reader = createTidyMarkerReader();
  const evidence = readEvidenceAhead(sources, analyzer);
  const output = createOutput();
  let inventedCitations = 0;
  let sentenceStart = 0;
  let ending = '';
  let sentenceHasCode = false;
  let marks: Mark[] = [];
  /** Markers before the first word of their sentence. */
  let leading: { at: number; numbers: number[] }[] = [];

  const cite = (numbers: readonly number[], start: number, end: number): void => {
    const span = trimSpan(output.text, start, end);
    const claim = readClaim(output.text.slice(...span), analyzer);
    for (const n of numbers) {
      const { passageId } = sources.find((source) => source.n === n) as Source;
      output.cite({ n, passageId, span, quote: quote(claim, evidence.of(n), evidence.weigh()) });
    }
  };

  const onMarker = (numbers: readonly number[]): void => {
    const known = [...new Set(numbers)].filter((n) => sources.some((source) => source.n === n));
    inventedCitations += new Set(numbers).size - known.length;
    if (known.length === 0) return;
    const end = output.text.length;
    if (LINE_START.test(output.text.slice(output.text.lastIndexOf('\n') + 1))) {
      leading.push({ at: end, numbers: known });
      return;
    }
    const before = marks.at(-1);
    const start = before === undefined ? sentenceStart : startOfClause(output.text, before);
    marks.push({ start, end, numbers: known });
    cite(known, start, end);
  };

  /** None where all markers stand for the same words. */
  const readCitedClauses = (marksOfSentence: readonly Mark[]): CitedClause[] => {
    const spans: Mark[] = [];
    for (const mark of marksOfSentence) {
      const last = spans.at(-1);
      if (last?.start === mark.start)
        spans.splice(-1, 1, { ...mark, numbers: [...last.numbers, ...mark.numbers] });
      else spans.push(mark);
    }
    if (spans.length < 2) return [];
    return spans.map(({ start, end, numbers }) => ({
      claim: readClaim(output.text.slice(start, end), analyzer),
      cited: [...new Set(numbers)].map(evidence.of),
    }));
  };

  const finishSentence = (start: number, end: number): void => {
    for (const { numbers } of leading.filter(({ at }) => at < end)) {
      cite(numbers, start, end);
      marks.push({ start, end, numbers });
    }
    leading = leading.filter(({ at }) => at >= end);
    const citations = [...new Set(marks.flatMap(({ numbers }) => numbers))].toSorted((a, b) => a - b);
    const marksOfSentence = marks;
    const hasCode = sentenceHasCode;
    marks = [];
    sentenceHasCode = false;
    if (hasCode || end <= start) return;
    const claim = readClaim(output.text.slice(start, end), analyzer);
    if (!isCheckable(claim, citations.length > 0)) return;
    const cited = citations.map(evidence.of);
    const clauses = readCitedClauses(marksOfSentence);
    const check = checkSentence(claim, { cited, clauses, all: evidence.all(), weigh: evidence.weigh() });
    output.add({ type: 'grounding-checked', span: [start, end], ...check, citations });
  };

  /** Finishes the sentences that `next`, the character after the text so far, does not belong to. */
  const finishSentencesBefore = (next: string): void => {
    if (output.text.length - sentenceStart > LONGEST_SENTENCE) {
      finishSentence(...trimSpan(output.text, sentenceStart, output.text.length));
      sentenceStart = output.text.length;
    } else if (MAY_END_SENTENCE.test(ending)) {
      const sentences = splitStatements(output.text.slice(sentenceStart) + next);
      const unfinished = sentences.pop();
      for (const { start, end } of sentences) finishSentence(sentenceStart + start, sentenceStart + end);
      if (sentences.length > 0) sentenceStart += unfinished?.start ?? 0;
    }
  };

  const onTokens = (tokens: readonly MarkerToken[]): void => {
    for (const token of tokens) {
      if (token.type === 'marker') {
        onMarker(token.numbers);
        continue;
      }
      if (/\S/.test(token.character)) finishSentencesBefore(token.character);
      sentenceHasCode ||= token.code;
      output.write(token.character);
      ending = (ending + token.character).slice(-ENDING_LENGTH);
    }
  };

  return {
    push(text) {
      onTokens(reader.read(text));
      return output.take();
    },
    finish() {
      onTokens(reader.finish());
      const tail = output.text.slice(sentenceStart);
      for (const { start, end } of splitStatements(tail))
        finishSentence(sentenceStart + start, sentenceStart + end);
      return output.take({ last: true });
    },
    get text() {
      return output.text;
    },
    get citations() {
      return output.citations;
    },
    get inventedCitations() {
      return inventedCitations;
    },
    withheld: 0,
  };
}

/** Sentences; those of one list item count as one, as a marker at its end speaks for all of it. */
function splitStatements(text: string): { start: number; end: number }[] {
  const statements: { start: number; end: number }[] = [];
  for (const { start, end } of splitSentences(text)) {
    const last = statements.at(-1);
    const goesOn =
      last !== undefined &&
      LIST_ITEM.test(text.slice(last.start)) &&
      !text.slice(last.end, start).includes('\n');
    if (goesOn) last.end = end;
    else statements.push({ start, end });
  }
  return statements;
}

/** The answer so far, and the frames that tell of it: text always before what is said about it. */
function createOutput() {
  const citations: Citation[] = [];
  let text = '';
  let sent = 0;
  let frames: GroundingFrame[] = [];

  const flush = (end = text.length): void => {
    if (end > sent) frames.push({ type: 'text-delta', text: text.slice(sent, end) });
    sent = Math.max(sent, end);
  };

  return {
    citations,
    get text() {
      return text;
    },
    write(character: string): void {
      text += character;
    },
    add(frame: GroundingFrame): void {
      flush();
      frames.push(frame);
    },
    /** The same number on the same words counts once. */
    cite(citation: Citation): void {
      const isKnown = citations.some(
        ({ n, span }) => n === citation.n && span[0] === citation.span[0] && span[1] === citation.span[1],
      );
      if (isKnown) return;
      citations.push(citation);
      this.add({ type: 'citation-added', ...citation });
    },
    take({ last = false } = {}): GroundingFrame[] {
      // Half of a surrogate pair waits for the other.
      const isHalf = /[\uD800-\uDBFF]$/.test(text);
      flush(isHalf && !last ? text.length - 1 : text.length);
      const taken = frames;
      frames = [];
      return taken;
    },
  };
}

/** Analyses each source once: while the model is still thinking, or when a sentence is compared with it before. */
function readEvidenceAhead(sources: readonly Source[], analyzer: TermAnalyzer) {
  const known = new Map<number, Evidence>();
  const of = (n: number): Evidence => {
    const source = sources.find((candidate) => candidate.n === n) as Source;
    const evidence = known.get(n) ?? readEvidence(source, analyzer);
    known.set(n, evidence);
    return evidence;
  };
  const all = (): Evidence[] => sources.map(({ n }) => of(n));
  const readAhead = ([next, ...rest]: readonly Source[]): void => {
    if (next === undefined) return;
    of(next.n);
    setImmediate(readAhead, rest);
  };
  setImmediate(readAhead, sources);
  let weigh: ((term: string) => number) | undefined;
  return { of, all, weigh: () => (weigh ??= weighByRarity(all())) };
}

/** A second marker in a sentence closes what came after the first; directly after it, the same words. */
function startOfClause(text: string, before: Mark): number {
  const between = text.slice(before.end);
  const word = between.search(/[\p{L}\p{N}]/u);
  return word === -1 ? before.start : before.end + word;
}

/** The words between two places, without white space and the bullet of a list around them. */
function trimSpan(text: string, start: number, end: number): [number, number] {
  const words = text.slice(start, end).trimEnd();
  const leading = /^\s*(?:(?:[-*+•]|\d{1,3}[.)])\s+)?/.exec(words)?.[0].length ?? 0;
  return [start + leading, start + words.length];
}
