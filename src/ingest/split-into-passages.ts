import { countTokens } from '../count-tokens.js';
import { detectLanguage } from '../language.js';
import type { Passage } from '../types.js';
import { PASSAGE_SIZE } from './passage-size.js';
import { type Piece, splitProse, toPieces } from './pieces.js';
import { toSections } from './sections.js';
import type { Block, FaqBlock, SourceDocument } from './source-document.js';

/** A passage before it has an address: what `splitIntoPassages` decides. */
export type PassageDraft = Pick<
  Passage,
  'headings' | 'text' | 'kind' | 'language' | 'url' | 'tags' | 'tokens'
>;

type Content = Pick<PassageDraft, 'headings' | 'text' | 'kind'> & { url?: string; tags?: string[] };

/**
 * Cuts a document into passages of about `PASSAGE_SIZE.target` tokens, in reading order. Passages never cross a section
 * and carry the headings above them; where a section is cut, the next passage starts with the last sentences of the
 * one before. Tables and lists stay whole where they fit. A curated pair or a record is a passage by itself.
 */
export function splitIntoPassages(document: SourceDocument): PassageDraft[] {
  return toSections(document)
    .flatMap(({ path, blocks }) => {
      const headings = path.map(({ text }) => text);
      return runsOf(blocks).flatMap((run) => splitRun(run, headings));
    })
    .map((content) => address(content, document));
}

/** Curated pairs and records stand alone; everything between them flows. */
function runsOf(blocks: readonly Block[]): Block[][] {
  const runs: Block[][] = [];
  let flows = false;
  for (const block of blocks) {
    const standsAlone = block.type === 'faq' || block.type === 'record';
    if (flows && !standsAlone) runs.at(-1)?.push(block);
    else runs.push([block]);
    flows = !standsAlone;
  }
  return runs;
}

function splitRun(run: readonly Block[], headings: string[]): Content[] {
  const [first] = run;
  if (first?.type === 'faq') return splitFaq(first, headings);
  const pieces = first?.type === 'record' ? splitProse(first.text) : toPieces(run);
  return pack(pieces).map((text) => ({ headings, text, kind: 'text' }));
}

function splitFaq({ question, answer, url, tags }: FaqBlock, headings: string[]): Content[] {
  const place = { ...(url === undefined ? {} : { url }), tags };
  if (countTokens(question) <= PASSAGE_SIZE.most && countTokens(answer) <= PASSAGE_SIZE.longestAnswer) {
    return [{ ...place, headings: [...headings, question], text: answer, kind: 'faq' }];
  }
  return pack(splitProse(`${question}\n\n${answer}`)).map((text) => ({
    ...place,
    headings,
    text,
    kind: 'text',
  }));
}

/** Pieces → texts of passages, near the target size, with overlap. */
function pack(pieces: readonly Piece[]): string[] {
  const groups = group(pieces);
  return groups.map((pieces, index) =>
    joinPieces([...overlap(groups[index - 1] ?? [], sizeOf(pieces)), ...pieces]),
  );
}

/** As many groups as come nearest to the target size, of about equal size, none above the largest. */
function group(pieces: readonly Piece[]): Piece[][] {
  const total = sizeOf(pieces);
  const count = Math.max(1, Math.round(total / PASSAGE_SIZE.target));
  const groups: Piece[][] = [];
  let before = 0;
  let lastPlace = -1;
  for (const piece of pieces) {
    const place = Math.floor(((before + piece.tokens / 2) / total) * count);
    const current = groups.at(-1);
    const fits = current !== undefined && sizeOf(current) + piece.tokens <= PASSAGE_SIZE.most;
    if (fits && place === lastPlace) current.push(piece);
    else groups.push([piece]);
    lastPlace = place;
    before += piece.tokens;
  }
  return groups;
}

/** The last sentences of the passage before, as far as they and the passage fit. */
function overlap(before: readonly Piece[], size: number): Piece[] {
  const room = Math.min(PASSAGE_SIZE.overlap, PASSAGE_SIZE.most - size);
  let start = before.length;
  let tokens = 0;
  while (start > 0) {
    const piece = before[start - 1] as Piece;
    if (!piece.isProse || tokens + piece.tokens > room) break;
    tokens += piece.tokens;
    start -= 1;
  }
  return before.slice(start);
}

function sizeOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { tokens }) => sum + tokens, 0);
}

function joinPieces(pieces: readonly Piece[]): string {
  return pieces.map(({ text, before }, index) => (index === 0 ? text : before + text)).join('');
}

function address({ headings, text, kind, url, tags = [] }: Content, document: SourceDocument): PassageDraft {
  const address = url ?? document.url;
  return {
    headings,
    text,
    kind,
    language: document.languageIsGiven ? document.language : detectLanguage([...headings, text].join('\n')),
    ...(address === undefined ? {} : { url: address }),
    tags: [...new Set([...document.tags, ...tags])],
    tokens: countTokens(text),
  };
}
