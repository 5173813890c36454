import { AskbaseError } from '../client/askbase-error.js';
import type { JudgedCandidate } from '../client/protocol.js';
import type { Api } from './api.js';
import { element } from './dom.js';
import { passagePanel, type ShownPassage } from './passage-panel.js';
import type { Exchange } from './room.js';
import type { PanelContent, SidePanel } from './side-panel.js';
import type { Texts } from './texts.js';
import { tracePanel } from './trace-panel.js';

export interface ExplainOptions {
  api: Pick<Api, 'readTrace' | 'readExplanation'>;
  panel: SidePanel;
  texts: () => Texts;
}

/** Opens what stands behind an answer: a cited passage, or why the passages were chosen. */
export function createExplain({ api, panel, texts }: ExplainOptions) {
  function openCitation(exchange: Exchange, at: number): void {
    const { citations, sources } = exchange.answer;
    const citation = citations[at];
    const source = sources.find(({ n }) => n === citation?.n);
    if (citation === undefined || source === undefined) return;
    const steps = { at, of: citations.length, go: (next: number) => openCitation(exchange, next) };
    const shown = { ...source, relevance: source.scores.rerank?.sigmoid };
    panel.open(passagePanel(shown, { texts: texts(), quote: citation.quote, steps }));
  }

  async function openTrace(exchange: Exchange): Promise<void> {
    const { messageId } = exchange;
    if (messageId === undefined) return;
    const loading = message(texts().loading);
    panel.open(loading);
    try {
      const trace = await api.readTrace(messageId);
      panel.replace(loading, tracePanel(trace, { texts: texts(), openCandidate: candidateOpener(exchange) }));
    } catch (thrown) {
      if (thrown instanceof AskbaseError && thrown.code === 'forbidden') {
        panel.replace(loading, message(texts().traceForbidden));
        return;
      }
      const again = element(
        'button',
        { type: 'button', class: 'button button-small', onclick: () => void openTrace(exchange) },
        texts().tryAgain,
      );
      panel.replace(loading, message(texts().traceFailed, again));
    }
  }

  function candidateOpener({ answer, messageId }: Exchange): (candidate: JudgedCandidate) => void {
    return ({ passage, scores }) => {
      const quote = answer.citations.find(({ passageId }) => passageId === passage.id)?.quote;
      const shown: ShownPassage = { ...passage, relevance: scores.rerank?.sigmoid };
      const canExplain = messageId !== undefined && scores.rerank !== undefined;
      panel.openWithin(
        passagePanel(shown, {
          texts: texts(),
          ...(quote === undefined ? {} : { quote }),
          ...(canExplain ? { explain: () => api.readExplanation(messageId, passage.id) } : {}),
        }),
      );
    };
  }

  function message(text: string, ...more: Node[]): PanelContent {
    return { title: texts().why, nodes: [element('p', { class: 'trace-summary' }, text), ...more] };
  }

  return { openCitation, openTrace };
}
