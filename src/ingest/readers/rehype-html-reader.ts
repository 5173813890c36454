import type { Element, ElementContent, Root, RootContent } from 'hast';
import rehypeParse from 'rehype-parse';
import { unified } from 'unified';
import { renderBlock, renderCode, renderLink, renderListItem, wrapInline } from '../block-text.js';
import { oneLine } from '../clean-text.js';
import type { Block, Reading } from '../source-document.js';
import { toLanguage } from './front-matter.js';
import { isDataTable, readTable } from './html-table.js';

type Content = Root | RootContent | ElementContent;

/** What surrounds the content of a page, and what is no text. */
const DROPPED = new Set(
  'head script style template noscript nav aside footer iframe object embed svg math canvas audio video map button input select textarea datalist dialog menu'.split(
    ' ',
  ),
);
const DROPPED_ROLES = new Set([
  'navigation',
  'banner',
  'contentinfo',
  'complementary',
  'search',
  'dialog',
  'menu',
]);
const CONTAINERS = new Set(
  'html body main article section div header form fieldset p blockquote figure figcaption details summary address center hgroup table tbody thead tfoot tr td th caption li dd dt'.split(
    ' ',
  ),
);
const INLINE_MARKS: Readonly<Record<string, string>> = {
  b: '**',
  strong: '**',
  i: '*',
  em: '*',
  s: '~~',
  del: '~~',
};

/** An HTML page: its main content with headings, lists and tables, without navigation and other boilerplate. */
export function readHtml(source: string): Reading {
  const root = parse(source);
  const html = find(root, ({ tagName }) => tagName === 'html');
  const language = attribute(html, 'lang');
  const canonical = find(
    root,
    (element) => element.tagName === 'link' && attribute(element, 'rel') === 'canonical',
  );
  const url = attribute(canonical, 'href');
  const content =
    find(root, (element) => element.tagName === 'main' || attribute(element, 'role') === 'main') ?? root;
  const blocks = collectBlocks(content);
  const title = blocks.some((block) => block.type === 'heading' && block.level === 1) ? '' : pageTitle(root);
  return {
    ...(title === '' ? {} : { title }),
    ...(language === '' ? {} : { language: toLanguage(language) }),
    ...(/^https?:\/\//.test(url) ? { url } : {}),
    blocks,
  };
}

/** Blocks of a piece of HTML, for readers of formats that contain or become HTML. */
export function htmlToBlocks(source: string): Block[] {
  return collectBlocks(parse(source));
}

function parse(source: string): Root {
  return unified().use(rehypeParse).parse(source);
}

function pageTitle(root: Root): string {
  const title = find(root, ({ tagName }) => tagName === 'title');
  return title === undefined ? '' : oneLine(textOf(title));
}

function collectBlocks(content: Content): Block[] {
  const blocks: Block[] = [];
  let paragraph = '';
  const endParagraph = (): void => {
    const text = tidyLines(paragraph);
    if (text !== '') blocks.push({ type: 'text', text });
    paragraph = '';
  };
  const add = (block: Block | null): void => {
    endParagraph();
    if (block !== null) blocks.push(block);
  };
  const visit = (node: Content): void => {
    if (node.type === 'text') {
      paragraph += joinSoftBreaks(node.value);
    } else if (node.type === 'root') {
      node.children.forEach(visit);
    } else if (node.type === 'element' && !isDropped(node)) {
      const block = toBlock(node);
      if (block !== undefined) {
        if (block?.type === 'table')
          elements(node)
            .filter(({ tagName }) => tagName === 'caption')
            .forEach(visit);
        add(block);
      } else if (CONTAINERS.has(node.tagName)) {
        endParagraph();
        node.children.forEach(visit);
        endParagraph();
      } else {
        paragraph += renderInline(node);
      }
    }
  };
  visit(content);
  endParagraph();
  return blocks;
}

/** Undefined for what is not a block by itself; null for a block without content. */
function toBlock(node: Element): Block | null | undefined {
  const { tagName } = node;
  if (/^h[1-6]$/.test(tagName)) {
    const text = oneLine(textOf(node));
    return text === '' ? null : { type: 'heading', level: Number(tagName[1]), text };
  }
  if (tagName === 'ul' || tagName === 'ol') return toList(node);
  if (tagName === 'dl') return toDefinitions(node);
  if (tagName === 'pre') return { type: 'text', text: renderCode(rawText(node)) };
  if (tagName === 'hr') return null;
  if (tagName === 'table' && isDataTable(node)) return readTable(node, renderCell);
  return undefined;
}

function toList(node: Element): Block | null {
  const first = Number.parseInt(attribute(node, 'start'), 10) || 1;
  const items = elements(node)
    .map((item) => renderNested(item))
    .filter((text) => text !== '')
    .map((text, index) => renderListItem(node.tagName === 'ol' ? `${first + index}.` : '-', text));
  return items.length === 0 ? null : { type: 'list', items };
}

function toDefinitions(node: Element): Block | null {
  const items: string[] = [];
  for (const element of elements(node).flatMap((child) =>
    child.tagName === 'div' ? elements(child) : [child],
  )) {
    const text = renderNested(element);
    if (text === '') continue;
    if (element.tagName === 'dt' || items.length === 0) items.push(`- ${wrapInline(oneLine(text), '**')}`);
    else items.push(`${items.pop()}\n  ${text.replaceAll('\n', '\n  ')}`);
  }
  return items.length === 0 ? null : { type: 'list', items };
}

function renderNested(node: Element): string {
  return node.children.length === 0
    ? ''
    : collectBlocks({ type: 'root', children: node.children })
        .map((block) => (block.type === 'heading' ? `**${block.text}**` : renderBlock(block)))
        .join('\n');
}

function renderCell(node: Element): string {
  return oneLine(renderNested(node));
}

function renderInline(node: Element): string {
  const { tagName } = node;
  if (tagName === 'br') return '\n';
  if (tagName === 'img') return attribute(node, 'alt');
  if (tagName === 'wbr') return '';
  const inner = node.children.map(inlineContent).join('');
  if (tagName === 'a') return renderLink(inner, attribute(node, 'href'));
  if (tagName === 'code' || tagName === 'kbd') return inner.includes('`') ? inner : wrapInline(inner, '`');
  const mark = INLINE_MARKS[tagName];
  return mark === undefined || inner.includes('\n\n') ? inner : wrapInline(inner, mark);
}

/** A block inside an inline element keeps a paragraph break around itself. */
function inlineContent(node: ElementContent): string {
  if (node.type === 'text') return joinSoftBreaks(node.value);
  if (node.type !== 'element' || isDropped(node)) return '';
  const block = toBlock(node);
  if (block === undefined && !CONTAINERS.has(node.tagName)) return renderInline(node);
  return `\n\n${block === undefined ? renderNested(node) : block === null ? '' : renderBlock(block)}\n\n`;
}

function isDropped(node: Element): boolean {
  if (DROPPED.has(node.tagName) || DROPPED_ROLES.has(attribute(node, 'role'))) return true;
  const { hidden, ariaHidden, style } = node.properties;
  if (typeof style === 'string' && /display:\s*none|visibility:\s*hidden/i.test(style)) return true;
  return (hidden !== undefined && hidden !== null && hidden !== false) || ariaHidden === 'true';
}

/** Line breaks of the source are spaces, and nothing between Chinese characters. */
export function joinSoftBreaks(text: string): string {
  return text.replaceAll(/\s+/g, (space, at: number) => {
    const between = /^[\p{Script=Han}\u3000-\u303F\uFF00-\uFFEF]{2}$/u.test(
      (text[at - 1] ?? '') + (text[at + space.length] ?? ''),
    );
    return space.includes('\n') && between ? '' : ' ';
  });
}

function tidyLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replaceAll(/ {2,}/g, ' ').trim())
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}

function find(node: Content, matches: (element: Element) => boolean): Element | undefined {
  if (node.type === 'element' && matches(node)) return node;
  if (node.type !== 'element' && node.type !== 'root') return undefined;
  for (const child of node.children) {
    const found = find(child, matches);
    if (found !== undefined) return found;
  }
  return undefined;
}

function elements(node: Element): Element[] {
  return node.children.filter((child): child is Element => child.type === 'element' && !isDropped(child));
}

function attribute(node: Element | undefined, name: string): string {
  const value = node?.properties[name];
  return Array.isArray(value) ? value.join(' ') : value === undefined || value === null ? '' : String(value);
}

function textOf(node: Element): string {
  return joinSoftBreaks(rawText(node));
}

function rawText(node: ElementContent): string {
  if (node.type === 'text') return node.value;
  if (node.type !== 'element' || DROPPED.has(node.tagName)) return '';
  if (node.tagName === 'br') return '\n';
  return node.children.map(rawText).join('');
}
