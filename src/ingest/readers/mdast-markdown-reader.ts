import type { Definition, Nodes, RootContent } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import { renderCode, renderLink, renderListItem, wrapInline } from '../block-text.js';
import { oneLine } from '../clean-text.js';
import { renderTable } from '../markdown-table.js';
import type { Block, ListBlock, Reading, TableBlock } from '../source-document.js';
import { takeFrontMatter } from './front-matter.js';
import { htmlToBlocks, joinSoftBreaks } from './rehype-html-reader.js';

/** Addresses of reference links, by identifier. */
type Addresses = ReadonlyMap<string, string>;

/** Markdown with GitHub's tables, task lists and strikethrough, and YAML front matter. Comments are dropped. */
export function readMarkdown(source: string): Reading {
  const { frontMatter, body } = takeFrontMatter(source);
  const root = fromMarkdown(body, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
  const addresses = new Map(
    root.children
      .filter((node): node is Definition => node.type === 'definition')
      .map(({ identifier, url }) => [identifier, url]),
  );
  return { ...frontMatter, blocks: root.children.flatMap((node) => toBlocks(node, addresses)) };
}

function toBlocks(node: RootContent, addresses: Addresses): Block[] {
  switch (node.type) {
    case 'heading':
      return [{ type: 'heading', level: node.depth, text: oneLine(plainText(node)) }];
    case 'list':
      return [toList(node, addresses)];
    case 'table':
      return [toTable(node, addresses)];
    case 'html':
      return htmlToBlocks(node.value);
    default:
      return [{ type: 'text', text: render(node, addresses) }];
  }
}

function toList(node: Extract<Nodes, { type: 'list' }>, addresses: Addresses): ListBlock {
  const first = node.start ?? 1;
  const items = node.children.map((item, index) => {
    const box = item.checked === true ? '[x] ' : item.checked === false ? '[ ] ' : '';
    const marker = node.ordered === true ? `${first + index}.` : '-';
    return renderListItem(marker, box + renderAll(item.children, addresses, '\n'));
  });
  return { type: 'list', items };
}

function toTable(node: Extract<Nodes, { type: 'table' }>, addresses: Addresses): TableBlock {
  const [header = [], ...rows] = node.children.map((row) =>
    row.children.map((cell) => oneLine(renderAll(cell.children, addresses))),
  );
  return { type: 'table', header, rows };
}

function renderAll(nodes: readonly Nodes[], addresses: Addresses, separator = ''): string {
  return nodes
    .map((node) => render(node, addresses))
    .filter((text) => separator === '' || text !== '')
    .join(separator);
}

/** Any node as tidy Markdown: escapes and entities resolved, wrapped lines joined. */
function render(node: Nodes, addresses: Addresses): string {
  switch (node.type) {
    case 'text':
      return joinSoftBreaks(node.value);
    case 'inlineCode':
      return node.value.includes('`') ? `\`\` ${node.value} \`\`` : `\`${node.value}\``;
    case 'code':
      return renderCode(node.value, node.lang ?? '');
    case 'break':
      return '\n';
    case 'html':
      return /^<br\b/i.test(node.value) ? '\n' : '';
    case 'image':
    case 'imageReference':
      return node.alt ?? '';
    case 'link':
      return renderLink(renderAll(node.children, addresses), node.url);
    case 'linkReference':
      return renderLink(renderAll(node.children, addresses), addresses.get(node.identifier) ?? '');
    case 'emphasis':
      return wrapInline(renderAll(node.children, addresses), '*');
    case 'strong':
      return wrapInline(renderAll(node.children, addresses), '**');
    case 'delete':
      return wrapInline(renderAll(node.children, addresses), '~~');
    case 'heading':
    case 'paragraph':
      return renderAll(node.children, addresses).trim();
    case 'blockquote':
      return renderAll(node.children, addresses, '\n\n').replaceAll(/^/gm, '> ');
    case 'list':
      return toList(node, addresses).items.join('\n');
    case 'table': {
      const { header, rows } = toTable(node, addresses);
      return renderTable(header, rows);
    }
    case 'footnoteDefinition':
      return renderAll(node.children, addresses, '\n\n');
    default:
      return '';
  }
}

/** Text without any markup, for headings. */
function plainText(node: Nodes): string {
  if (node.type === 'text' || node.type === 'inlineCode') return node.value;
  if (node.type === 'image') return node.alt ?? '';
  return 'children' in node ? node.children.map(plainText).join('') : '';
}
