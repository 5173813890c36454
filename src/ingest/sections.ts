import { countTokens } from '../count-tokens.js';
import { renderBlock } from './block-text.js';
import { PASSAGE_SIZE } from './passage-size.js';
import type { Block, HeadingBlock, SourceDocument } from './source-document.js';

/** What stands under one heading, up to the next. */
export interface Section {
  /** Headings above, outermost first, without the document's title. */
  path: HeadingBlock[];
  /** Headings occur in it only where small sections were joined. */
  blocks: Block[];
}

/** Sections in order, small ones joined with neighbours under the same parent. */
export function toSections(document: SourceDocument): Section[] {
  return joinSmall(cutAtHeadings(document));
}

function cutAtHeadings({ title, blocks }: SourceDocument): Section[] {
  const sections: Section[] = [];
  let path: HeadingBlock[] = [];
  let current: Section = { path, blocks: [] };
  for (const [index, block] of blocks.entries()) {
    if (block.type !== 'heading') {
      current.blocks.push(block);
    } else if (countTokens(block.text) > PASSAGE_SIZE.small) {
      current.blocks.push({ type: 'text', text: block.text });
    } else {
      const parents = path.filter(({ level }) => level < block.level);
      path = isTitle(block, title) ? parents : [...parents, block];
      sections.push(current);
      const standsAlone =
        isEmpty(block, blocks[index + 1]) && (!isTitle(block, title) || blocks.length === 1);
      current = standsAlone
        ? { path: parents, blocks: [{ type: 'text', text: block.text }] }
        : { path, blocks: [] };
    }
  }
  return [...sections, current].filter((section) => section.blocks.length > 0);
}

/** A heading without anything below it is content of its own. */
function isEmpty(heading: HeadingBlock, next: Block | undefined): boolean {
  return next === undefined || (next.type === 'heading' && next.level <= heading.level);
}

function isTitle(heading: HeadingBlock, title: string): boolean {
  return heading.level === 1 && heading.text === title;
}

function joinSmall(sections: readonly Section[]): Section[] {
  const joined: Section[] = [];
  for (const section of sections) {
    const before = joined.at(-1);
    const both = before === undefined ? null : join(before, section);
    if (both === null) joined.push(section);
    else joined[joined.length - 1] = both;
  }
  return joined;
}

/** Null where the two should stay apart: not small, too large together, or not below the same second-level heading. */
function join(before: Section, section: Section): Section | null {
  const parent = section.path.slice(0, -1);
  const isIntroduction = samePath(before.path, parent);
  const isSibling = samePath(before.path.slice(0, -1), parent) && before.path.length > 0;
  if ((!isIntroduction && !isSibling) || (parent.at(-1)?.level ?? 0) < 2) return null;
  if ([...before.blocks, ...section.blocks].some(({ type }) => type === 'faq' || type === 'record'))
    return null;

  const sizes = [before, section].map(({ blocks }) => countTokens(blocks.map(renderBlock).join('\n')));
  const [first = 0, second = 0] = sizes;
  if (Math.min(first, second) >= PASSAGE_SIZE.small || first + second > PASSAGE_SIZE.target) return null;
  return {
    path: parent,
    blocks: [...(isIntroduction ? before.blocks : withHeading(before)), ...withHeading(section)],
  };
}

function withHeading({ path, blocks }: Section): Block[] {
  const heading = path.at(-1);
  return heading === undefined ? blocks : [heading, ...blocks];
}

/** By identity: two headings with the same words are two headings. */
function samePath(a: readonly HeadingBlock[], b: readonly HeadingBlock[]): boolean {
  return a.length === b.length && a.every((heading, index) => heading === b[index]);
}
