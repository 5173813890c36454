import { element } from '../dom.js';
import type { Block, Inline, Line, TextLeaf } from './ast.js';

/** A range of the source that stands out; `wrap` makes an element around each piece of it. */
export interface MarkedRange {
  start: number;
  end: number;
  wrap: () => HTMLElement;
}

/** Something put behind the source character before `at`. */
export interface Insertion {
  at: number;
  create: () => Node;
}

export interface Annotations {
  ranges: readonly MarkedRange[];
  /** In order of `at`. */
  insertions: readonly Insertion[];
}

export interface RenderOptions {
  /** `keep`: a line end of the source is one on the page; `flow`: it was only wrapped there. */
  lineEnds: 'keep' | 'flow';
  /** Name of a scrolling table for those who hear the page. */
  tableLabel: string;
}

const HAN = /[\p{Script=Han}\u3000-\u303f\uff00-\uffef]/u;
const FIRST_HEADING_LEVEL = 3;

/** Renders one block with what is noted on it. Text becomes text nodes only. */
export function renderBlock(block: Block, annotations: Annotations, options: RenderOptions): HTMLElement {
  return createRenderer(annotations, options).renderTop(block);
}

/** Which insertions belong to which block: those before the next block's start. */
export function insertionsOf(
  blocks: readonly Block[],
  insertions: readonly Insertion[],
): (readonly Insertion[])[] {
  let taken = 0;
  return blocks.map((_, index) => {
    const limit = blocks[index + 1]?.start ?? Number.POSITIVE_INFINITY;
    const from = taken;
    while (taken < insertions.length && (insertions[taken]?.at ?? 0) <= limit) taken += 1;
    return insertions.slice(from, taken);
  });
}

function createRenderer({ ranges, insertions }: Annotations, options: RenderOptions) {
  let inserted = 0;

  function renderTop(block: Block): HTMLElement {
    const rendered = renderBlockElement(block);
    const rest = insertUpTo(Number.POSITIVE_INFINITY);
    if (rest.length === 0) return rendered;
    if (block.type === 'paragraph' || block.type === 'heading') {
      rendered.append(...rest);
      return rendered;
    }
    return element('div', {}, rendered, element('p', { class: 'behind-block' }, ...rest));
  }

  function insertUpTo(at: number): Node[] {
    const nodes: Node[] = [];
    for (; inserted < insertions.length; inserted += 1) {
      const insertion = insertions[inserted];
      if (insertion === undefined || insertion.at > at) break;
      nodes.push(insertion.create());
    }
    return nodes;
  }

  function renderBlockElement(block: Block): HTMLElement {
    switch (block.type) {
      case 'paragraph':
        return element('p', {}, ...renderLine(block.content));
      case 'heading':
        return element(headingTag(block.level), {}, ...renderLine(block.content));
      case 'code':
        return element(
          'pre',
          { tabindex: 0 },
          element('code', {}, ...block.lines.flatMap((line, index) => renderCodeLine(line, index))),
        );
      case 'quote':
        return element('blockquote', {}, ...block.blocks.map(renderBlockElement));
      case 'list':
        return renderList(block);
      case 'table':
        return renderTable(block);
      case 'rule':
        return element('hr');
    }
  }

  function renderCodeLine(line: TextLeaf, index: number): (Node | string)[] {
    return [...(index === 0 ? [] : ['\n']), ...renderPieces(line)];
  }

  function renderList(list: Extract<Block, { type: 'list' }>): HTMLElement {
    const items = list.items.map((blocks) => {
      const [only] = blocks;
      const tight = only?.type === 'paragraph' && blocks.slice(1).every((block) => block.type === 'list');
      if (!tight) return element('li', {}, ...blocks.map(renderBlockElement));
      return element('li', {}, ...renderLine(only.content), ...blocks.slice(1).map(renderBlockElement));
    });
    if (!list.ordered) return element('ul', {}, ...items);
    return element('ol', { start: list.first === 1 ? undefined : list.first }, ...items);
  }

  function renderTable(table: Extract<Block, { type: 'table' }>): HTMLElement {
    const cell = (tag: 'th' | 'td') => (line: Line, column: number) => {
      const alignment = table.alignments[column];
      const scope = tag === 'th' ? 'col' : undefined;
      const name = alignment === null || alignment === undefined ? undefined : `align-${alignment}`;
      return element(tag, { scope, class: name }, ...renderLine(line));
    };
    const head = element('thead', {}, element('tr', {}, ...table.header.map(cell('th'))));
    const rows = table.rows.map((row) => element('tr', {}, ...row.map(cell('td'))));
    return element(
      'div',
      { class: 'table-scroll', role: 'region', tabindex: 0, 'aria-label': options.tableLabel },
      element('table', {}, head, element('tbody', {}, ...rows)),
    );
  }

  function renderLine(line: Line): (Node | string)[] {
    return [...renderInlines(line.inlines), ...insertUpTo(line.end)];
  }

  function renderInlines(inlines: readonly Inline[]): (Node | string)[] {
    return inlines.flatMap((inline, index) => {
      const before = insertUpTo(startOf(inline) ?? -1);
      return [...before, ...renderInline(inline, inlines[index - 1], inlines[index + 1])];
    });
  }

  function renderInline(
    inline: Inline,
    before: Inline | undefined,
    after: Inline | undefined,
  ): (Node | string)[] {
    switch (inline.type) {
      case 'text':
        return renderPieces(inline);
      case 'code':
        return [element('code', {}, ...renderPieces(inline))];
      case 'break':
        if (inline.hard || options.lineEnds === 'keep') return [element('br')];
        return HAN.test(edge(before, -1)) && HAN.test(edge(after, 0)) ? [] : [' '];
      case 'link':
        return [
          element(
            'a',
            { href: inline.href, target: '_blank', rel: 'noopener noreferrer nofollow' },
            ...renderInlines(inline.children),
          ),
        ];
      case 'strong':
        return [element('strong', {}, ...renderInlines(inline.children))];
      case 'emphasis':
        return [element('em', {}, ...renderInlines(inline.children))];
      case 'deleted':
        return [element('del', {}, ...renderInlines(inline.children))];
    }
  }

  /** Cuts a leaf where a range begins or ends and where something is inserted. */
  function renderPieces(leaf: TextLeaf): (Node | string)[] {
    const end = leaf.start + leaf.text.length;
    const cuts = [
      leaf.start,
      end,
      ...ranges.flatMap((range) => [range.start, range.end]),
      ...insertions.slice(inserted).map(({ at }) => at),
    ];
    const inside = [...new Set(cuts)].filter((at) => at >= leaf.start && at <= end).sort((a, b) => a - b);
    return inside.flatMap((from, index) => {
      const to = inside[index + 1];
      if (to === undefined) return [];
      const text = leaf.text.slice(from - leaf.start, to - leaf.start);
      return [...insertUpTo(from), wrapPiece(text, from, to)];
    });
  }

  function wrapPiece(text: string, from: number, to: number): Node | string {
    return ranges
      .filter((range) => range.start <= from && range.end >= to)
      .reduce<Node | string>((inner, range) => {
        const wrapper = range.wrap();
        wrapper.append(inner);
        return wrapper;
      }, text);
  }

  return { renderTop };
}

function headingTag(level: number): 'h3' | 'h4' | 'h5' | 'h6' {
  return `h${Math.min(6, FIRST_HEADING_LEVEL - 1 + level)}` as 'h3' | 'h4' | 'h5' | 'h6';
}

/** Where the first leaf of inline content starts in the source. */
function startOf(inline: Inline): number | undefined {
  if (inline.type === 'break') return undefined;
  if ('text' in inline) return inline.start;
  return inline.children.map(startOf).find((start) => start !== undefined);
}

function edge(inline: Inline | undefined, at: -1 | 0): string {
  return inline !== undefined && 'text' in inline ? (inline.text.at(at) ?? '') : '';
}
