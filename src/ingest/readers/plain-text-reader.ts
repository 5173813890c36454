import { joinWrapped } from '../clean-text.js';
import type { Block, Reading } from '../source-document.js';

/** 第一章 … , 第3节 …; the end of a plain-text heading carries no stop. */
const CHAPTER = /^第[\d一二三四五六七八九十百]{1,5}(?:([章部篇卷])|[节回])[^。！？；，,;]{0,40}$/;
const LIST_ITEM = /^\s*(?:[-*•·]\s+|\d{1,3}[.)、]\s*|[（(]\d{1,3}[)）])/;
/** Lines at least this long (in columns) were probably wrapped by a program. */
const WRAPPED_COLUMNS = 60;

/** Plain text: paragraphs are parted by blank lines; chapter lines and lines underlined with === or --- are headings. */
export function readPlainText(text: string): Reading {
  const blocks: Block[] = [];
  for (const paragraph of text.split(/\n(?:[ \t\u3000]*\n)+/)) {
    const lines = paragraph.split('\n').map((line) => line.replace(/[ \t\u3000]+$/, ''));
    blocks.push(...readParagraph(lines.filter((line) => line.trim() !== '')));
  }
  return { blocks };
}

function readParagraph(lines: readonly string[]): Block[] {
  const blocks: Block[] = [];
  let start = 0;
  for (;;) {
    const [first, second = ''] = lines.slice(start, start + 2).map((line) => line.trim());
    if (first === undefined) return blocks;
    const chapter = CHAPTER.exec(first);
    if (/^(?:={3,}|-{3,})$/.test(second)) {
      blocks.push({ type: 'heading', level: second.startsWith('=') ? 1 : 2, text: first });
      start += 2;
    } else if (chapter !== null) {
      blocks.push({ type: 'heading', level: chapter[1] === undefined ? 2 : 1, text: first });
      start += 1;
    } else {
      return [...blocks, { type: 'text', text: unwrap(lines.slice(start)) }];
    }
  }
}

/** Long lines flow into the next; short ones (addresses, verse, settings) and list items keep their breaks. */
function unwrap(lines: readonly string[]): string {
  const result: string[] = [];
  for (const [index, line] of lines.entries()) {
    const above = lines[index - 1];
    if (above !== undefined && columns(above) >= WRAPPED_COLUMNS && !LIST_ITEM.test(line)) {
      result.push(joinWrapped(result.pop() ?? '', line.trim()));
    } else {
      result.push(line.trim());
    }
  }
  return result.join('\n');
}

function columns(line: string): number {
  return line.length + (line.match(/\p{Script=Han}/gu)?.length ?? 0);
}
