import { createAnswerBody } from './answer-body.js';
import { answerNotes, progressLine } from './answer-notes.js';
import { type AnswerState, citedSources, isRunning, toPlainText } from './answer-state.js';
import { copyText } from './copy-text.js';
import { element, icon } from './dom.js';
import { createFeedbackView, type FeedbackInput } from './feedback-view.js';
import { type Language, languageOf } from './language.js';
import { explanationOf, hasTrace, mayAskAgain, outcomeOf } from './outcome-view.js';
import type { Exchange } from './room.js';
import { sourcesView } from './sources-view.js';
import { linkListedStarters, startersView } from './starters-view.js';
import { type Steps, stepRow } from './step-row.js';
import type { Texts } from './texts.js';

/** Without `asking`, the reader looks at the conversation of somebody else. */
export interface ExchangeActions {
  openCitation: (exchange: Exchange, index: number) => void;
  openTrace: (exchange: Exchange) => void;
  asking?: {
    askAgain: (exchange: Exchange) => void;
    ask: (question: string) => void;
    giveFeedback: (exchange: Exchange, feedback: FeedbackInput) => Promise<boolean>;
  };
}

export interface ExchangeOptions {
  texts: Texts;
  /** Example questions of the knowledge base, in the language of the question. */
  startersIn: (language: Language | undefined) => readonly string[];
  actions: ExchangeActions;
}

const COPIED_FOR_MS = 2000;
const SUGGESTIONS = 3;

export type ExchangeView = ReturnType<typeof createExchangeView>;

/** One question with a version of its answer. `update` shows what has changed since. */
export function createExchangeView(first: Exchange, { texts, startersIn, actions }: ExchangeOptions) {
  const { asking } = actions;
  let exchange = first;
  let shown: AnswerState | undefined;
  let versions: Steps | undefined;
  const openCitation = (index: number): void => actions.openCitation(exchange, index);

  const body = createAnswerBody(texts, openCitation);
  const understood = element('p', { class: 'understood' });
  const before = element('div', { class: 'answer-before' });
  const after = element('div', { class: 'answer-after' });
  const answer = element('div', { class: 'answer' }, before, body.root, after);
  const root = element(
    'article',
    { class: 'exchange' },
    element('h2', { class: 'question', lang: languageOf(exchange.question) }, exchange.question),
    sentImages(exchange.images, texts),
    understood,
    answer,
  );

  /** `among`: the versions of the answer, where there are several. */
  function update(next: Exchange, among: Steps | undefined): void {
    exchange = next;
    const isShown = next.answer === shown && among?.at === versions?.at && among?.of === versions?.of;
    versions = among;
    if (isShown) return;
    shown = next.answer;
    const running = isRunning(shown);
    const { kind, heading } = outcomeOf(shown, texts);
    answer.className = `answer answer-${kind}`;
    answer.setAttribute('aria-busy', String(running));
    showUnderstanding(shown);
    body.update(shown);
    before.replaceChildren(...(heading === null ? [] : [heading]), ...progress(shown));
    if (!running) after.replaceChildren(...ending(shown));
  }

  function showUnderstanding({ question }: AnswerState): void {
    const differs = question !== undefined && question.standalone.trim() !== exchange.question.trim();
    understood.hidden = !differs;
    if (!differs) return;
    understood.replaceChildren(
      element('span', { class: 'understood-label' }, texts.understoodAs),
      ' ',
      element('span', { lang: question.language }, question.standalone),
    );
  }

  function progress(state: AnswerState): HTMLElement[] {
    const line = progressLine(state, texts);
    if (line === null) return [];
    return [element('p', { class: 'progress' }, element('span', { class: 'progress-dots' }), line)];
  }

  function ending(state: AnswerState): HTMLElement[] {
    const explanation = explanationOf(state, texts);
    return [
      ...(explanation === null ? [] : [element('p', { class: 'explanation' }, explanation)]),
      ...answerNotes(state, texts),
      ...[sourcesView(state, { texts, openCitation, withScores: asking === undefined })].filter(
        (view) => view !== null,
      ),
      ...suggestions(state),
      ...(outcomeOf(state, texts).kind === 'passed-on' ? [] : actionRow(state)),
    ];
  }

  /** Example questions, unless the answer lists some itself: then those become clickable. */
  function suggestions(state: AnswerState): HTMLElement[] {
    if (asking === undefined || explanationOf(state, texts) === null || state.phase === 'failed') return [];
    const suggested = state.completed?.abstention?.suggestions ?? [];
    const starters = suggested.length > 0 ? suggested : startersIn(state.question?.language);
    if (starters.length === 0 || linkListedStarters(body.root, starters, asking.ask)) return [];
    return [
      element('p', { class: 'small-title suggestions-title' }, texts.tryInstead),
      startersView(starters.slice(0, SUGGESTIONS), asking.ask),
    ];
  }

  function actionRow(state: AnswerState): HTMLElement[] {
    const again =
      asking !== undefined &&
      mayAskAgain(state) &&
      action('again', texts.again[state.phase] ?? texts.tryAgain, () => asking.askAgain(exchange));
    const why = hasTrace(state) && action('why', texts.why, () => actions.openTrace(exchange));
    const judged = state.phase === 'answered' || state.phase === 'no-answer';
    const feedback =
      asking !== undefined &&
      judged &&
      createFeedbackView(texts, {
        given: exchange.feedback,
        sources: citedSources(state),
        give: (input) => asking.giveFeedback(exchange, input),
      });
    const row = element(
      'div',
      { class: 'actions' },
      versions !== undefined && versionSteps(versions),
      again,
      why,
      state.text !== '' && copyButton(state),
      feedback !== false && feedback.buttons,
      feedback !== false && feedback.status,
      meta(state),
    );
    return feedback === false ? [row] : [row, feedback.more];
  }

  function versionSteps(steps: Steps): HTMLElement {
    return stepRow(steps, {
      name: `version-${first.key}`,
      place: texts.version(steps.at + 1, steps.of),
      back: texts.previousVersion,
      forward: texts.nextVersion,
    });
  }

  function action(symbol: string, label: string, act: () => void): HTMLButtonElement {
    return element('button', { type: 'button', class: 'text-button', onclick: act }, icon(symbol), label);
  }

  function copyButton(state: AnswerState): HTMLButtonElement {
    const label = element('span', {}, texts.copy);
    const copy = async (): Promise<void> => {
      label.textContent = (await copyText(toPlainText(state))) ? texts.copied : texts.copyFailed;
      setTimeout(() => {
        label.textContent = texts.copy;
      }, COPIED_FOR_MS);
    };
    const properties = {
      type: 'button',
      class: 'text-button',
      'aria-live': 'polite',
      onclick: () => void copy(),
    };
    return element('button', properties, icon('copy'), label);
  }

  function meta({ completed, mode }: AnswerState): HTMLElement | null {
    if (completed === undefined) return null;
    const total = completed.timings.total;
    const quoted = mode === 'extractive' && completed.status === 'answered';
    return element(
      'span',
      { class: 'meta' },
      quoted && element('span', {}, texts.quoted),
      completed.usage !== undefined && element('span', {}, completed.usage.model),
      total !== undefined && element('span', {}, texts.answeredIn(toSeconds(total))),
    );
  }

  return {
    root,
    update,
    focusSteps: (): void => after.querySelector<HTMLElement>('.steps button:enabled')?.focus(),
  };
}

function sentImages(images: readonly string[], texts: Texts): HTMLElement | null {
  if (images.length === 0) return null;
  const items = images.map((src, index) =>
    element('li', {}, element('img', { src, alt: texts.image(index + 1) })),
  );
  return element('ul', { class: 'sent-images', 'aria-label': texts.attached }, ...items);
}

function toSeconds(milliseconds: number): string {
  return milliseconds < 100 ? '< 0.1' : (milliseconds / 1000).toFixed(1);
}
