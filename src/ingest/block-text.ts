import { renderTable } from './markdown-table.js';
import type { Block } from './source-document.js';

/** A block as the Markdown it stands for. */
export function renderBlock(block: Block): string {
  switch (block.type) {
    case 'heading':
      return `${'#'.repeat(block.level)} ${block.text}`;
    case 'list':
      return block.items.join('\n');
    case 'table':
      return renderTable(block.header, block.rows);
    case 'faq':
      return `${block.question}\n\n${block.answer}`;
    default:
      return block.text;
  }
}

/** A list item with its marker; further lines are indented to stand under the first. */
export function renderListItem(marker: string, content: string): string {
  return `${marker} ${content.replaceAll('\n', `\n${' '.repeat(marker.length + 1)}`)}`;
}

/** Emphasis around a text, its outer spaces kept outside; nothing around nothing. */
export function wrapInline(text: string, mark: string): string {
  const inner = text.trim();
  if (inner === '') return text;
  const start = text.indexOf(inner);
  return `${text.slice(0, start)}${mark}${inner}${mark}${text.slice(start + inner.length)}`;
}

/** A link where its address means something outside the document; else its text alone. */
export function renderLink(text: string, address: string): string {
  const label = text.trim();
  if (!/^(?:https?:\/\/|mailto:|tel:)/i.test(address) || label === '') return text;
  return label === address ? address : `[${label}](${address.replaceAll(/[\s()]/g, encodeURIComponent)})`;
}

/** Code between fences that its own backticks cannot close. */
export function renderCode(code: string, language = ''): string {
  const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${code.replace(/\n$/, '')}\n${fence}`;
}
