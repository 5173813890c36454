import { cleanText, joinWrapped } from '../clean-text.js';
import type { Block } from '../source-document.js';

/** A printed line. */
export interface PdfLine {
  text: string;
  /** Number of its page. */
  page: number;
  /** Height of its largest letters, in points. */
  size: number;
  /** Height of its base line above the foot of the page, in points. */
  y: number;
}

const HEADING_RATIO = 1.15;
const LONGEST_HEADING = 100;
/** A gap of more than this many line heights starts a paragraph. */
const PARAGRAPH_GAP = 1.75;
/** Lines looked at as running headers and footers, at each end of a page. */
const MARGIN_LINES = 2;
const BULLET = /^(?:[•·▪●○◦■–]\s*|[-*]\s+|\d{1,2}[.)、]\s*|[（(]\d{1,2}[)）])(?=\S)/;
const SENTENCE_END = /[.!?。！？:：；;”"’)）]$/;

/** Lines of pages → headings and paragraphs, without running headers, footers and page numbers. */
export function linesToBlocks(pages: readonly (readonly PdfLine[])[]): Block[] {
  const lines = withoutMargins(pages.map((page) => page.map(tidy).filter(({ text }) => text !== ''))).flat();
  const bodySize = mostUsedSize(lines);
  const isHeading = (line: PdfLine): boolean =>
    line.size >= bodySize * HEADING_RATIO &&
    line.text.length <= LONGEST_HEADING &&
    /[\p{L}]/u.test(line.text);
  const sizes = [...new Set(lines.filter(isHeading).map(({ size }) => roundSize(size)))].sort(
    (a, b) => b - a,
  );

  const blocks: Block[] = [];
  let above: PdfLine | undefined;
  for (const line of lines) {
    const last = blocks.at(-1);
    const level = isHeading(line) ? Math.min(sizes.indexOf(roundSize(line.size)) + 1, 4) : undefined;
    const follows = above !== undefined && isNextLine(above, line);
    if (level !== undefined) {
      if (last?.type === 'heading' && last.level === level && follows)
        last.text = joinWrapped(last.text, line.text);
      else blocks.push({ type: 'heading', level, text: line.text });
    } else if (last?.type === 'text' && above !== undefined && (follows || isCutByPage(above, line))) {
      last.text = BULLET.test(line.text) ? `${last.text}\n${line.text}` : joinPrinted(last.text, line.text);
    } else {
      blocks.push({ type: 'text', text: line.text });
    }
    above = line;
  }
  return blocks;
}

function tidy(line: PdfLine): PdfLine {
  const text = cleanText(line.text)
    // Some fonts map characters to radicals and bullets to private code points.
    .replaceAll(/[\u2E80-\u2FDF]/g, (radical) => radical.normalize('NFKC'))
    .replaceAll(/[\uF0A7\uF0B7]/g, '•')
    .replaceAll(/[ \t]{2,}/g, ' ')
    .trim();
  return { ...line, text };
}

/** Drops lines that stand at the head or foot of most pages, alike but for numbers. */
function withoutMargins(pages: readonly PdfLine[][]): PdfLine[][] {
  if (pages.length < 3) return [...pages];
  const pattern = ({ text }: PdfLine): string => text.replaceAll(/\d+/g, '#');
  const margins = (page: readonly PdfLine[]): PdfLine[] => [
    ...page.slice(0, MARGIN_LINES),
    ...page.slice(Math.max(MARGIN_LINES, page.length - MARGIN_LINES)),
  ];
  const counts = new Map<string, number>();
  for (const page of pages) {
    for (const text of new Set(margins(page).map(pattern))) counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return pages.map((page) => {
    const dropped = new Set(
      margins(page).filter((line) => (counts.get(pattern(line)) ?? 0) > pages.length / 2),
    );
    return page.filter((line) => !dropped.has(line));
  });
}

function mostUsedSize(lines: readonly PdfLine[]): number {
  const letters = new Map<number, number>();
  for (const { size, text } of lines) {
    letters.set(roundSize(size), (letters.get(roundSize(size)) ?? 0) + text.length);
  }
  return [...letters].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]?.[0] ?? 0;
}

function roundSize(size: number): number {
  return Math.round(size * 2) / 2;
}

function isNextLine(above: PdfLine, line: PdfLine): boolean {
  const gap = above.y - line.y;
  return above.page === line.page && gap >= 0 && gap <= PARAGRAPH_GAP * Math.max(above.size, line.size, 1);
}

/** A paragraph that goes on in the next column or on the next page. */
function isCutByPage(above: PdfLine, line: PdfLine): boolean {
  const isElsewhere = line.page !== above.page || line.y > above.y;
  return isElsewhere && !SENTENCE_END.test(above.text) && !BULLET.test(line.text);
}

/** Words parted at the end of a line become whole again. */
function joinPrinted(before: string, after: string): string {
  if (/\p{Ll}-$/u.test(before) && /^\p{Ll}/u.test(after)) return before.slice(0, -1) + after;
  return joinWrapped(before, after);
}
