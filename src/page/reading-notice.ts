import type { Texts } from './texts.js';

const AGAIN_AFTER_MS = 2000;

export interface ReadingNoticeOptions {
  isRead: () => Promise<boolean>;
  texts: () => Texts;
  /** Called after each look while the documents are being read, and once when they are. */
  onProgress: () => Promise<void>;
}

/** Says that the server is still reading its documents, as it does on its first start. */
export function createReadingNotice(root: HTMLElement, { isRead, texts, onProgress }: ReadingNoticeOptions) {
  let reading = false;

  function show(): void {
    root.textContent = reading ? texts().stillReading : '';
  }

  /** Resolves when the documents are read, or the server cannot be asked: the connection's banner speaks of that. */
  async function watch(): Promise<void> {
    try {
      while (!(await isRead())) {
        reading = true;
        show();
        await onProgress();
        await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS));
      }
      if (reading) await onProgress();
    } catch {
      // Looked at again when the page is loaded again.
    }
    reading = false;
    show();
  }

  return { watch, show };
}
