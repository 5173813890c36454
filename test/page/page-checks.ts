import type { Locator, Page } from 'playwright-core';

/** The text as it is shown: line ends and what CSS hides are taken into account. */
export function visibleText(locator: Locator): Promise<string> {
  return locator.innerText();
}

/** Whether an element lies within the window. */
export async function isInView(locator: Locator): Promise<boolean> {
  return locator.evaluate((node) => {
    const { top, bottom } = node.getBoundingClientRect();
    return top >= 0 && bottom <= window.innerHeight;
  });
}

/** Visible controls without an accessible name, ids that stand twice, and headings that are empty. */
export async function unnamedControls(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const visible = (node: Element): boolean => node.checkVisibility({ visibilityProperty: true });
    const nameOf = (node: Element): string => {
      const labels = 'labels' in node ? [...((node as HTMLInputElement).labels ?? [])] : [];
      const texts = labels.map((label) => label.textContent);
      const label = node.getAttribute('aria-label') ?? '';
      return [
        label,
        ...texts,
        node.tagName === 'TEXTAREA' || node.tagName === 'SELECT' ? '' : node.textContent,
      ]
        .join('')
        .trim();
    };
    const controls = [
      ...document.querySelectorAll('button, input, textarea, select, a, summary, h1, h2, h3'),
    ];
    const unnamed = controls
      .filter((node) => visible(node) && nameOf(node) === '')
      .map((node) => node.outerHTML);
    const ids = [...document.querySelectorAll('[id]')].map((node) => node.id);
    const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
    return [...unnamed, ...twice.map((id) => `twice: ${id}`)];
  });
}

/** Visible texts whose contrast with what is behind them is under 4.5 (3 for large ones), as WCAG AA asks. */
export async function faintTexts(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    if (canvas === null) throw new Error('no canvas');
    type Colour = [number, number, number, number];
    const read = (css: string): Colour => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = css;
      canvas.fillRect(0, 0, 1, 1);
      const [r = 0, g = 0, b = 0, a = 0] = canvas.getImageData(0, 0, 1, 1).data;
      return [r, g, b, a / 255];
    };
    const over = (top: Colour, below: Colour): Colour => {
      const mix = (index: 0 | 1 | 2): number => top[index] * top[3] + below[index] * (1 - top[3]);
      return [mix(0), mix(1), mix(2), 1];
    };
    const backgroundOf = (node: Element | null): Colour => {
      if (node === null) return read('Canvas');
      const own = read(getComputedStyle(node).backgroundColor);
      // A dialog lies over the page, not on what is around it.
      return own[3] === 1 ? own : over(own, backgroundOf(node.parentElement));
    };
    const luminance = ([r, g, b]: Colour): number => {
      const linear = (value: number): number =>
        value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
      return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    };
    const faint: string[] = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
      const parent = node.parentElement;
      if (parent === null || (node.textContent ?? '').trim() === '') continue;
      if (
        !parent.checkVisibility({ visibilityProperty: true }) ||
        parent.closest('.visually-hidden, :disabled')
      )
        continue;
      const style = getComputedStyle(parent);
      const background = backgroundOf(parent);
      const colours = [luminance(over(read(style.color), background)), luminance(background)];
      const ratio = (Math.max(...colours) + 0.05) / (Math.min(...colours) + 0.05);
      const size = Number.parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      if (ratio < (large ? 3 : 4.5))
        faint.push(`${ratio.toFixed(2)} ${node.textContent?.trim().slice(0, 40)}`);
    }
    return faint;
  });
}

/** What scrolls sideways that should not: the page and its columns. */
export async function sidewaysScrollers(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll('#scroller, .panel-body, .handoffs')]
      .filter((node) => node.scrollWidth > node.clientWidth)
      .map((node) => node.id || node.className || node.tagName),
  );
}
