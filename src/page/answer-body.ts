import type { Citation } from '../client/protocol.js';
import type { AnswerState, Verdict } from './answer-state.js';
import { element } from './dom.js';
import { languageOf } from './language.js';
import { parseMarkdown } from './markdown/blocks.js';
import { type Insertion, insertionsOf, type MarkedRange, renderBlock } from './markdown/render.js';
import type { Texts } from './texts.js';

interface Place {
  start: number;
  end: number;
}

/**
 * The written answer, with a chip behind each cited span and marks on weak sentences. Blocks that did not change
 * stay as they are, so that focus and selection survive the streaming.
 */
export function createAnswerBody(texts: Texts, openCitation: (index: number) => void) {
  const root = element('div', { class: 'answer-body' });
  let keys: string[] = [];

  function update(answer: AnswerState): void {
    const blocks = parseMarkdown(answer.text);
    const verdicts = answer.verdicts.filter(
      ({ verdict, withheld }) => verdict !== 'supported' && withheld !== true,
    );
    const perBlock = insertionsOf(blocks, chips(answer));
    const focused = root.contains(document.activeElement) ? document.activeElement : null;

    keys = blocks.map((block, index) => {
      const insertions = perBlock[index] ?? [];
      const inBlock = (place: Place): boolean => place.start < block.end && place.end > block.start;
      const marked = verdicts.filter(({ span }) => inBlock({ start: span[0], end: span[1] }));
      const cited = answer.citations.filter(({ span }) => inBlock({ start: span[0], end: span[1] }));
      const key = JSON.stringify([
        block.start,
        answer.text.slice(block.start, block.end),
        cited.map((one) => [answer.citations.indexOf(one), one.n, one.span]),
        insertions.map(({ at }) => at),
        marked.map(({ span, verdict, reasons }) => [span, verdict, reasons]),
      ]);
      if (key !== keys[index]) {
        const ranges = [...cited.map((one) => citedRange(one, answer)), ...marked.map(verdictRange)];
        const options = { lineEnds: 'keep', tableLabel: texts.table } as const;
        place(index, renderBlock(block, { ranges, insertions }, options));
      }
      return key;
    });
    while (root.children.length > blocks.length) root.lastElementChild?.remove();
    root.lang = answer.question?.language ?? languageOf(answer.text);
    if (focused !== null && !focused.isConnected) refocus(focused as HTMLElement);
  }

  function place(index: number, block: HTMLElement): void {
    const current = root.children[index];
    if (current === undefined) root.append(block);
    else current.replaceWith(block);
  }

  function refocus(gone: HTMLElement): void {
    root.querySelector<HTMLElement>(`[data-citation="${gone.dataset.citation ?? ''}"]`)?.focus();
  }

  function chips(answer: AnswerState): Insertion[] {
    return answer.citations.map((citation, index) => ({
      at: behindPunctuation(answer.text, citation.span[1]),
      create: () => chip(citation, index, answer),
    }));
  }

  function chip(citation: Citation, index: number, { sources }: AnswerState): HTMLElement {
    const source = sources.find(({ n }) => n === citation.n);
    const title = [source?.title ?? '', ...(source?.headings ?? [])].join(' › ');
    const highlight = (on: boolean) => () => {
      for (const piece of root.querySelectorAll(`[data-cited="${index}"]`)) {
        piece.classList.toggle('is-pointed-at', on);
      }
    };
    return element(
      'button',
      {
        type: 'button',
        class: 'chip',
        'data-citation': index,
        'aria-label': texts.chip(citation.n, title),
        title,
        onclick: () => openCitation(index),
        onmouseenter: highlight(true),
        onmouseleave: highlight(false),
        onfocus: highlight(true),
        onblur: highlight(false),
      },
      String(citation.n),
    );
  }

  function citedRange(citation: Citation, { citations }: AnswerState): MarkedRange {
    const [start, end] = citation.span;
    const index = citations.indexOf(citation);
    return { start, end, wrap: () => element('span', { class: 'cited', 'data-cited': index }) };
  }

  function verdictRange({ span, verdict, reasons }: Verdict): MarkedRange {
    const why = reasons.map(({ reason, words }) => texts.doubts[reason](words ?? ''));
    const title = [verdict === 'weak' ? texts.weak : texts.unsupported, ...why].join(' · ');
    let pieces = 0;
    return {
      start: span[0],
      end: span[1],
      // Focusable, so that a tap or the keyboard shows the reason as well as a pointer does; one stop for all pieces.
      wrap: () => {
        const tabindex = pieces++ === 0 ? 0 : -1;
        return element('mark', { class: `verdict-${verdict}`, title, 'data-why': title, tabindex });
      },
    };
  }

  return { root, update };
}

/** A chip stands behind the punctuation that ends the cited words, so that no line begins with a full stop. */
function behindPunctuation(text: string, at: number): number {
  return at + (/^[.,;:!?。，；：！？、]+/.exec(text.slice(at, at + 3))?.[0].length ?? 0);
}
