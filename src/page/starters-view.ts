import { element } from './dom.js';
import { languageOf } from './language.js';

type Ask = (question: string) => void;

/** Example questions, each asked by a click. */
export function startersView(questions: readonly string[], ask: Ask): HTMLElement {
  const items = questions.map((question) => {
    const onclick = (): void => ask(question);
    const label = element('span', {}, question);
    return element(
      'li',
      {},
      element('button', { type: 'button', class: 'starter', lang: languageOf(question), onclick }, label),
    );
  });
  return element('ul', { class: 'starters' }, ...items);
}

/** Makes the example questions that an answer lists clickable where they stand; false where it lists none. */
export function linkListedStarters(body: HTMLElement, questions: readonly string[], ask: Ask): boolean {
  const listed = [...body.querySelectorAll('li')].filter(({ textContent }) =>
    questions.includes(textContent),
  );
  for (const item of listed) {
    const question = item.textContent;
    const onclick = (): void => ask(question);
    item.replaceChildren(element('button', { type: 'button', class: 'starter-link', onclick }, question));
  }
  return listed.length > 0;
}
