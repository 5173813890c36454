import type { Source } from '../client/protocol.js';
import { element, icon } from './dom.js';
import type { Texts } from './texts.js';

export interface FeedbackInput {
  verdict: 'up' | 'down';
  passageIds: string[];
  comment?: string;
}

const MAX_COMMENT_LENGTH = 2000;

/** Thumbs, and after a thumb down an optional form. `give` resolves to whether the verdict was saved. */
export function createFeedbackView(
  texts: Texts,
  {
    given,
    sources,
    give,
  }: {
    given: 'up' | 'down' | undefined;
    sources: readonly Source[];
    give: (feedback: FeedbackInput) => Promise<boolean>;
  },
) {
  const status = element('span', { class: 'feedback-status', role: 'status' });
  const up = thumb('up', texts.good);
  const down = thumb('down', texts.bad);
  const buttons = element('span', { class: 'thumbs' }, up, down);
  const more = element('div', { class: 'feedback-more' });
  if (given !== undefined) press(given);

  function thumb(verdict: 'up' | 'down', label: string): HTMLButtonElement {
    return element(
      'button',
      {
        type: 'button',
        class: 'icon-button',
        'aria-pressed': 'false',
        'aria-label': label,
        title: label,
        onclick: () => void choose(verdict),
      },
      icon(`thumb-${verdict}`),
    );
  }

  function press(verdict: 'up' | 'down' | undefined): void {
    up.setAttribute('aria-pressed', String(verdict === 'up'));
    down.setAttribute('aria-pressed', String(verdict === 'down'));
  }

  async function send(feedback: FeedbackInput): Promise<boolean> {
    const saved = await give(feedback);
    status.textContent = saved ? texts.thanks : texts.feedbackFailed;
    return saved;
  }

  async function choose(verdict: 'up' | 'down'): Promise<void> {
    press(verdict);
    more.replaceChildren();
    if (!(await send({ verdict, passageIds: [] }))) {
      press(undefined);
      return;
    }
    if (verdict === 'down') openForm();
  }

  function openForm(): void {
    const comment = element('textarea', {
      rows: 2,
      maxlength: MAX_COMMENT_LENGTH,
      'aria-label': texts.feedbackQuestion,
      placeholder: texts.feedbackPlaceholder,
    });
    const boxes = sources.map((source) => ({
      source,
      box: element('input', { type: 'checkbox', value: source.passageId }),
    }));
    const submit = async (event: SubmitEvent): Promise<void> => {
      event.preventDefault();
      const passageIds = boxes.filter(({ box }) => box.checked).map(({ box }) => box.value);
      const text = comment.value.trim();
      const saved = await send({ verdict: 'down', passageIds, ...(text === '' ? {} : { comment: text }) });
      if (!saved) return;
      more.replaceChildren();
      down.focus();
    };
    const close = (): void => {
      more.replaceChildren();
      down.focus();
    };
    more.replaceChildren(
      element(
        'form',
        {
          class: 'feedback-form',
          onsubmit: (event: SubmitEvent) => void submit(event),
          onkeydown: (event: KeyboardEvent) => event.key === 'Escape' && close(),
        },
        element('p', { class: 'feedback-title' }, texts.feedbackQuestion),
        comment,
        boxes.length > 0 &&
          element(
            'fieldset',
            {},
            element('legend', {}, texts.feedbackSources),
            ...boxes.map(({ source, box }) =>
              element('label', {}, box, element('span', {}, `${source.n} · ${source.title}`)),
            ),
          ),
        element(
          'div',
          { class: 'form-actions' },
          element('button', { type: 'submit', class: 'button button-small' }, texts.feedbackSend),
          element(
            'button',
            { type: 'button', class: 'button button-small button-quiet', onclick: close },
            texts.feedbackSkip,
          ),
        ),
      ),
    );
    comment.focus();
  }

  return { buttons, status, more };
}
