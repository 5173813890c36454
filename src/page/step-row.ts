import { element, icon } from './dom.js';

/** One of several that are shown one at a time. */
export interface Steps {
  at: number;
  of: number;
  go: (at: number) => void;
}

/** Back, where one is, forward. `name` makes the ids of the buttons, by which focus finds them again. */
export function stepRow(
  { at, of, go }: Steps,
  { name, place, back, forward }: { name: string; place: string; back: string; forward: string },
): HTMLElement {
  const step = (symbol: string, label: string, to: number): HTMLElement =>
    element(
      'button',
      {
        type: 'button',
        id: `${name}-${symbol}`,
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
    { class: 'steps' },
    step('back', back, at - 1),
    element('span', { class: 'number' }, place),
    step('forward', forward, at + 1),
  );
}
