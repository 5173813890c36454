import type { RelevanceExplanation } from '../client/protocol.js';
import { element, icon } from './dom.js';
import { findQuote, type Range } from './find-quote.js';
import { languageOf } from './language.js';
import { parseMarkdown } from './markdown/blocks.js';
import { type MarkedRange, renderBlock } from './markdown/render.js';
import type { PanelContent } from './side-panel.js';
import { type Steps, stepRow } from './step-row.js';
import type { Texts } from './texts.js';

/** Share of the strongest effect below which a word is not shown to have counted. */
const LEAST_SHOWN = 0.15;

export interface ShownPassage {
  documentId: string;
  title: string;
  headings: readonly string[];
  url?: string | undefined;
  text: string;
  /** The reranker's sigmoid, 0 to 1. */
  relevance: number | undefined;
}

/** A passage as it stands in its document, with what an answer quoted marked and scrolled to. */
export function passagePanel(
  passage: ShownPassage,
  {
    texts,
    quote,
    steps,
    explain,
  }: {
    texts: Texts;
    quote?: string;
    /** Through the citations of the answer. */
    steps?: Steps;
    /** Which words drove the relevance; absent where nothing can say that. */
    explain?: () => Promise<RelevanceExplanation>;
  },
): PanelContent {
  const place = quote === undefined ? undefined : findQuote(passage.text, quote);
  const text = element(
    'div',
    { class: 'passage-text', lang: languageOf(passage.text) },
    ...blocks(passage, quotedRange(place, texts), texts),
  );
  return {
    title: texts.passage,
    nodes: [
      ...(steps !== undefined && steps.of > 1 ? [citationSteps(steps, texts)] : []),
      header(passage, texts),
      ...(explain === undefined ? [] : [explainButton(passage, { texts, text, explain })]),
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

/** Shows the words that counted in the place of the quote; the more they did, the stronger. */
function explainButton(
  passage: ShownPassage,
  { texts, text, explain }: { texts: Texts; text: HTMLElement; explain: () => Promise<RelevanceExplanation> },
): HTMLElement {
  const button = element(
    'button',
    { type: 'button', class: 'button button-small', onclick: () => void show() },
    texts.whichWords,
  );
  const show = async (): Promise<void> => {
    button.disabled = true;
    try {
      const { pieces } = await explain();
      const most = Math.max(0, ...pieces.map(({ effect }) => effect));
      const ranges = pieces
        .filter(({ effect }) => effect > 0 && effect >= most * LEAST_SHOWN)
        .map(({ span, effect }) => ({
          start: span[0],
          end: span[1],
          wrap: () => {
            const mark = element('mark', { class: 'counted', title: texts.wordCounted(effect.toFixed(2)) });
            mark.style.setProperty('--share', `${Math.round((effect / most) * 100)}%`);
            return mark;
          },
        }));
      text.replaceChildren(...blocks(passage, ranges, texts));
    } catch {
      button.replaceChildren(texts.tryAgain);
      button.disabled = false;
    }
  };
  return button;
}

function quotedRange(place: Range | undefined, texts: Texts): MarkedRange[] {
  if (place === undefined) return [];
  return [{ ...place, wrap: () => element('mark', { class: 'quoted', title: texts.quotedHere }) }];
}

function blocks({ text }: ShownPassage, ranges: readonly MarkedRange[], texts: Texts): HTMLElement[] {
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

function citationSteps(steps: Steps, texts: Texts): HTMLElement {
  return stepRow(steps, {
    name: 'citation',
    place: texts.citedHere(steps.at + 1, steps.of),
    back: texts.previousCitation,
    forward: texts.nextCitation,
  });
}
