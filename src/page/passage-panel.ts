import { element, icon } from './dom.js';
import { findQuote, type Range } from './find-quote.js';
import { languageOf } from './language.js';
import { parseMarkdown } from './markdown/blocks.js';
import { renderBlock } from './markdown/render.js';
import type { PanelContent } from './side-panel.js';
import type { Texts } from './texts.js';

export interface ShownPassage {
  documentId: string;
  title: string;
  headings: readonly string[];
  url?: string | undefined;
  text: string;
  /** The reranker's sigmoid, 0 to 1. */
  relevance: number | undefined;
}

/** Steps through the citations of an answer. */
export interface CitationSteps {
  at: number;
  of: number;
  go: (at: number) => void;
}

/** A passage as it stands in its document, with what an answer quoted marked and scrolled to. */
export function passagePanel(
  passage: ShownPassage,
  { texts, quote, steps }: { texts: Texts; quote?: string; steps?: CitationSteps },
): PanelContent {
  const place = quote === undefined ? undefined : findQuote(passage.text, quote);
  const text = element(
    'div',
    { class: 'passage-text', lang: languageOf(passage.text) },
    ...blocks(passage, place, texts),
  );
  return {
    title: texts.passage,
    nodes: [
      ...(steps !== undefined && steps.of > 1 ? [stepRow(steps, texts)] : []),
      header(passage, texts),
      ...(quote !== undefined && place === undefined ? [missingQuote(quote, texts)] : []),
      text,
    ],
    shown: () => text.querySelector('mark')?.scrollIntoView({ block: 'center' }),
  };
}

function header({ documentId, title, headings, url, relevance }: ShownPassage, texts: Texts): HTMLElement {
  const link = safeUrl(url);
  return element(
    'div',
    { class: 'passage-header' },
    element('h3', { lang: languageOf(title) }, title),
    headings.length > 0 &&
      element('p', { class: 'passage-place', lang: languageOf(title) }, headings.join(' › ')),
    element(
      'p',
      { class: 'passage-origin' },
      element('span', { class: 'path', title: texts.document }, documentId),
      relevance !== undefined &&
        element('span', { class: 'number' }, `${texts.relevance} ${relevance.toFixed(2)}`),
      link !== undefined &&
        element(
          'a',
          { href: link, target: '_blank', rel: 'noopener noreferrer' },
          icon('link'),
          texts.openSource,
        ),
    ),
  );
}

/** Documents name their addresses themselves: only web addresses become links. */
function safeUrl(url: string | undefined): string | undefined {
  return url !== undefined && /^https?:\/\//i.test(url) ? url : undefined;
}

function blocks({ text }: ShownPassage, place: Range | undefined, texts: Texts): HTMLElement[] {
  const ranges =
    place === undefined
      ? []
      : [{ ...place, wrap: () => element('mark', { class: 'quoted', title: texts.quotedHere }) }];
  const options = { lineEnds: 'flow', tableLabel: texts.table } as const;
  return parseMarkdown(text).map((block) => renderBlock(block, { ranges, insertions: [] }, options));
}

function missingQuote(quote: string, texts: Texts): HTMLElement {
  return element(
    'div',
    { class: 'missing-quote' },
    element('p', {}, texts.quoteMissing),
    element('blockquote', { lang: languageOf(quote) }, quote),
  );
}

function stepRow({ at, of, go }: CitationSteps, texts: Texts): HTMLElement {
  const step = (symbol: string, label: string, to: number): HTMLElement =>
    element(
      'button',
      {
        type: 'button',
        id: `citation-${symbol}`,
        class: 'icon-button',
        'aria-label': label,
        title: label,
        disabled: to < 0 || to >= of,
        onclick: () => go(to),
      },
      icon(symbol),
    );
  return element(
    'div',
    { class: 'citation-steps' },
    step('back', texts.previousCitation, at - 1),
    element('span', { class: 'number' }, texts.citedHere(at + 1, of)),
    step('forward', texts.nextCitation, at + 1),
  );
}
