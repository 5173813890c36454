import { element, icon } from './dom.js';
import type { Texts } from './texts.js';

export interface PanelContent {
  title: string;
  nodes: readonly Node[];
  /** Called once the content is on the page. */
  shown?: () => void;
}

const WIDE = '(min-width: 64rem)';

export type SidePanel = ReturnType<typeof createSidePanel>;

/**
 * The one panel beside the conversation: a column on wide screens, where the conversation stays usable, and a modal
 * sheet from below on narrow ones. It remembers what it showed before, for a way back.
 */
export function createSidePanel(dialog: HTMLDialogElement, texts: () => Texts) {
  const wide = window.matchMedia(WIDE);
  const earlier: PanelContent[] = [];
  let current: PanelContent | undefined;
  let opener: Element | null = null;

  const heading = element('h2', { id: 'panel-title', tabindex: -1 });
  const body = element('div', { class: 'panel-body', tabindex: -1 });

  wide.addEventListener('change', () => {
    if (!dialog.open) return;
    dialog.close();
    present();
  });
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault();
    close();
  });
  dialog.addEventListener('click', (event) => {
    // The backdrop belongs to the dialog element; everything inside has a target of its own.
    if (event.target === dialog && !wide.matches) close();
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && dialog.open && wide.matches && !event.defaultPrevented) close();
  });

  function present(): void {
    document.body.classList.toggle('has-panel', true);
    if (dialog.open) return;
    if (wide.matches) dialog.show();
    else dialog.showModal();
  }

  function show(content: PanelContent): void {
    current = content;
    const kept = dialog.contains(document.activeElement) ? document.activeElement?.id : undefined;
    const labels = texts();
    heading.textContent = content.title;
    body.replaceChildren(...content.nodes);
    dialog.replaceChildren(
      element(
        'header',
        { class: 'panel-header' },
        earlier.length > 0 && button('back', labels.back, back),
        heading,
        button('close', labels.close, close),
      ),
      body,
    );
    present();
    body.scrollTop = 0;
    focusAgain(kept);
    content.shown?.();
  }

  /** A control that exists again in the new content keeps the focus, so that it can be pressed repeatedly. */
  function focusAgain(id: string | undefined): void {
    const again = id === undefined || id === '' ? null : dialog.querySelector<HTMLElement>(`#${id}:enabled`);
    (again ?? heading).focus({ preventScroll: true });
  }

  function button(symbol: string, label: string, act: () => void): HTMLButtonElement {
    return element(
      'button',
      { type: 'button', class: 'icon-button', 'aria-label': label, title: label, onclick: act },
      icon(symbol),
    );
  }

  /** Opens anew; Escape and the cross lead back to what had the focus. */
  function open(content: PanelContent): void {
    if (!dialog.contains(document.activeElement)) opener = document.activeElement;
    earlier.length = 0;
    show(content);
  }

  /** Goes one step deeper, with a way back. */
  function openWithin(content: PanelContent): void {
    if (current !== undefined) earlier.push(current);
    show(content);
  }

  /** Puts other content in place of what is shown, if that is still shown. */
  function replace(shown: PanelContent, content: PanelContent): void {
    if (dialog.open && current === shown) show(content);
  }

  function back(): void {
    const content = earlier.pop();
    if (content !== undefined) show(content);
  }

  function close(): void {
    if (!dialog.open) return;
    dialog.close();
    document.body.classList.toggle('has-panel', false);
    current = undefined;
    earlier.length = 0;
    if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    else document.querySelector<HTMLElement>('.composer textarea')?.focus();
  }

  return { open, openWithin, replace, close };
}
