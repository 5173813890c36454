import type { AskbaseClient } from '../client/askbase-client.js';
import type { Texts } from './texts.js';

/** A connection that comes back at once is not worth a word. */
const LOST_AFTER_MS = 1000;
const RECONNECTED_FOR_MS = 2500;

/** Says that the connection is lost, and that it is back. */
export function createBanner(root: HTMLElement, client: AskbaseClient, texts: () => Texts): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const after = (milliseconds: number, text: () => string): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      root.textContent = text();
    }, milliseconds);
  };
  client.onConnectionChange((connected) => {
    if (!connected) {
      after(LOST_AFTER_MS, () => texts().reconnecting);
      return;
    }
    clearTimeout(timer);
    if (root.textContent === '') return;
    root.textContent = texts().reconnected;
    after(RECONNECTED_FOR_MS, () => '');
  });
}
