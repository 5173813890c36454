import type { AttachmentsView } from './attachments-view.js';
import { element, icon } from './dom.js';
import type { Texts } from './texts.js';

/** What the server takes as a question or a reply, in UTF-16 code units. */
const MAX_TEXT_LENGTH = 4000;

/** What the field and its button are called. */
export interface ComposerWording {
  label: string;
  placeholder: string;
  send: string;
}

export interface ComposerOptions {
  texts: Pick<Texts, 'stop' | 'toLatest' | 'askHint' | 'describeImage'>;
  wording: ComposerWording;
  /** Absent where no images are sent. */
  attachments?: AttachmentsView;
  send: (text: string, images: readonly string[]) => void;
  stop?: () => void;
  draftChanged?: (text: string) => void;
  toLatest: () => void;
}

export type ComposerView = ReturnType<typeof createComposerView>;

/** Where a text is written. While an answer is under way, the button stops it, and writing the next goes on. */
export function createComposerView(root: HTMLElement, options: ComposerOptions) {
  const { texts, attachments } = options;
  const textarea = element('textarea', {
    rows: 1,
    maxlength: MAX_TEXT_LENGTH,
    enterkeyhint: 'send',
    autocomplete: 'off',
    oninput: () => {
      grow();
      options.draftChanged?.(textarea.value);
    },
    onkeydown: (event: KeyboardEvent) => {
      if (!isSendKey(event)) return;
      event.preventDefault();
      send();
    },
    onpaste: (event: ClipboardEvent) => takeFiles(event, event.clipboardData),
  });
  const sendLabel = element('span');
  const sendButton = element('button', { type: 'submit', class: 'button' }, icon('send'), sendLabel);
  const stopButton = element(
    'button',
    { type: 'button', class: 'button stop-button', onclick: () => options.stop?.() },
    icon('stop'),
    texts.stop,
  );
  const latest = element(
    'button',
    { type: 'button', class: 'to-latest', hidden: true, onclick: () => options.toLatest() },
    icon('down'),
    texts.toLatest,
  );
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    send();
  };
  let busy = false;

  root.replaceChildren(
    latest,
    element(
      'form',
      {
        onsubmit: submit,
        ondragover: (event: DragEvent) => attachments !== undefined && event.preventDefault(),
        ondrop: (event: DragEvent) => takeFiles(event, event.dataTransfer),
      },
      attachments?.nodes.list,
      attachments?.nodes.problem,
      element(
        'div',
        { class: 'composer-row' },
        attachments?.nodes.button,
        attachments?.nodes.chosen,
        textarea,
        sendButton,
        stopButton,
      ),
    ),
    element('p', { class: 'composer-hint' }, texts.askHint),
  );
  setWording(options.wording);
  setBusy(false);

  function send(): void {
    const text = textarea.value.trim();
    const images = attachments?.images ?? [];
    if (busy) return;
    if (text === '') {
      if (images.length > 0) attachments?.say(texts.describeImage);
      textarea.focus();
      return;
    }
    setText('');
    setImages([]);
    options.send(text, images);
  }

  /** Images that are pasted or dropped; text goes its usual way. */
  function takeFiles(event: Event, transfer: DataTransfer | null): void {
    const files = [...(transfer?.files ?? [])];
    if (attachments === undefined || attachments.nodes.button.hidden || files.length === 0) return;
    event.preventDefault();
    void attachments.add(files);
  }

  function setText(text: string): void {
    textarea.value = text;
    grow();
  }

  function setImages(images: readonly string[]): void {
    attachments?.set(images);
    attachments?.say('');
  }

  /** As high as its text; CSS bounds it. */
  function grow(): void {
    textarea.style.blockSize = 'auto';
    textarea.style.blockSize = `${textarea.scrollHeight}px`;
  }

  function setWording({ label, placeholder, send: sendWord }: ComposerWording): void {
    textarea.setAttribute('aria-label', label);
    textarea.placeholder = placeholder;
    sendLabel.textContent = sendWord;
  }

  function setBusy(next: boolean): void {
    const hadFocus = document.activeElement === stopButton || document.activeElement === sendButton;
    busy = next;
    sendButton.hidden = busy;
    stopButton.hidden = !busy;
    if (hadFocus) (busy ? stopButton : textarea).focus();
  }

  return {
    setText,
    setImages,
    setWording,
    setBusy,
    /** Whether images may go along; where not, those that were added are dropped. */
    takeImages(allowed: boolean): void {
      if (attachments === undefined || attachments.nodes.button.hidden === !allowed) return;
      attachments.nodes.button.hidden = !allowed;
      if (!allowed) setImages([]);
    },
    get images(): readonly string[] {
      return attachments?.images ?? [];
    },
    focus: (): void => textarea.focus(),
    offerLatest(offered: boolean): void {
      latest.hidden = !offered;
    },
  };
}

/** Enter sends, but not while an input method composes: there it chooses a candidate. Safari says so by 229 only. */
function isSendKey(event: KeyboardEvent): boolean {
  return event.key === 'Enter' && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
}
