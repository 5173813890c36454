import { element, icon } from './dom.js';
import { IMAGE_TYPES, ImageRefused, readImage } from './read-image.js';
import type { Texts } from './texts.js';

/** What the server takes with one question. */
const MAX_IMAGES = 4;

export type AttachmentsView = ReturnType<typeof createAttachmentsView>;

/** Images that go along with the next question: a button that adds some, and what was added, each with a way to remove it. */
export function createAttachmentsView(texts: Texts) {
  let images: readonly string[] = [];
  const chosen = element('input', {
    type: 'file',
    accept: IMAGE_TYPES.join(','),
    multiple: true,
    hidden: true,
    'aria-label': texts.attach,
    onchange: () => {
      void add([...(chosen.files ?? [])]);
      chosen.value = '';
    },
  });
  const button = element(
    'button',
    {
      type: 'button',
      class: 'icon-button attach-button',
      'aria-label': texts.attach,
      title: texts.attach,
      onclick: () => chosen.click(),
    },
    icon('image'),
  );
  const list = element('ul', { class: 'attachments', 'aria-label': texts.attached });
  const problem = element('p', { class: 'problem', role: 'alert' });
  set([]);

  async function add(files: readonly File[]): Promise<void> {
    let said = '';
    for (const file of files) {
      if (images.length >= MAX_IMAGES) said = texts.imageProblems.count(MAX_IMAGES);
      else said = (await addOne(file)) ?? said;
    }
    say(said);
  }

  /** Resolves to what is wrong with it. */
  async function addOne(file: File): Promise<string | undefined> {
    try {
      set([...images, await readImage(file)]);
      return undefined;
    } catch (thrown) {
      if (!(thrown instanceof ImageRefused)) throw thrown;
      return texts.imageProblems[thrown.reason](file.name);
    }
  }

  function set(next: readonly string[]): void {
    images = next;
    list.hidden = images.length === 0;
    list.replaceChildren(...images.map(preview));
  }

  function preview(url: string, index: number): HTMLElement {
    const label = texts.removeImage(index + 1);
    const remove = (): void => {
      set(images.filter((_, other) => other !== index));
      say('');
      (list.querySelector<HTMLElement>('button') ?? button).focus();
    };
    return element(
      'li',
      {},
      element('img', { src: url, alt: texts.image(index + 1) }),
      element(
        'button',
        { type: 'button', class: 'icon-button', 'aria-label': label, title: label, onclick: remove },
        icon('close'),
      ),
    );
  }

  function say(text: string): void {
    problem.textContent = text;
  }

  return {
    nodes: { list, problem, chosen, button },
    add,
    set,
    say,
    get images(): readonly string[] {
      return images;
    },
  };
}
