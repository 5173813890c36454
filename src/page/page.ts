import type { AskbaseClient } from '../client/askbase-client.js';
import { AskbaseError } from '../client/askbase-error.js';
import { createAnnouncer } from './announcer.js';
import type { Api, Catalogue, KnowledgeBaseSummary } from './api.js';
import { createAttachmentsView } from './attachments-view.js';
import { createBanner } from './banner.js';
import { createChat } from './chat.js';
import { type ComposerView, createComposerView } from './composer-view.js';
import { type ConversationView, createConversationView } from './conversation-view.js';
import { element, required } from './dom.js';
import { createExplain } from './explain.js';
import { createHandlingStrip } from './handling-strip.js';
import { createKeyDialog } from './key-dialog.js';
import { chooseLanguage, type Language } from './language.js';
import { createReadingNotice } from './reading-notice.js';
import { type Exchange, isBusy, type Room } from './room.js';
import { createScrollFollow } from './scroll-follow.js';
import type { Session } from './session.js';
import { createSidePanel } from './side-panel.js';
import { textsFor } from './texts.js';
import { createTopBar, type TopBar } from './top-bar.js';
import { welcomeView } from './welcome-view.js';

export interface PageOptions {
  client: AskbaseClient;
  api: Api;
  session: Session;
}

/** Builds the page and keeps it in step with the chat. */
export function startPage({ client, api, session }: PageOptions): void {
  const welcome = required('welcome', HTMLElement);
  const conversationRoot = required('conversation', HTMLElement);
  const composerRoot = required('composer', HTMLElement);
  const scroller = required('scroller', HTMLElement);
  let language = chooseLanguage(session.language(), navigator.languages);
  const texts = () => textsFor(language);

  let catalogue: Catalogue | undefined;
  let top: TopBar;
  let composer: ComposerView;
  let conversation: ConversationView;
  let shownRoom: Room | undefined;
  let welcomeShows = '';
  let keyAskedFor: number | undefined;
  let frameRequested = false;

  const panel = createSidePanel(required('panel', HTMLDialogElement), texts);
  const explain = createExplain({ api, panel, texts });
  const announcer = createAnnouncer(required('announcer', HTMLElement), texts);
  const strip = createHandlingStrip(required('handling', HTMLElement), texts);
  const keyDialog = createKeyDialog(required('key-dialog', HTMLDialogElement), { session, texts });
  const scroll = createScrollFollow(scroller, {
    content: conversationRoot,
    onChange: (atEnd) => composer.offerLatest(!atEnd && isStarted(chat.room)),
  });
  const chat = createChat({ client, api, session, onChange: requestShow });
  createBanner(required('banner', HTMLElement), client, texts);
  const reading = createReadingNotice(required('reading', HTMLElement), {
    isRead: api.isKnowledgeRead,
    texts,
    onProgress: refreshCatalogue,
  });
  build();
  void load();

  /** Makes everything that has words in it, in the page's language. */
  function build(): void {
    document.documentElement.lang = language;
    top = createTopBar(required('top', HTMLElement), {
      texts: texts(),
      language,
      knowledgeBases: catalogue?.knowledgeBases ?? [],
      open: openKnowledgeBase,
      newConversation,
      switchLanguage: () => switchLanguage(language === 'en' ? 'zh' : 'en'),
      ...(session.apiKey() === undefined ? {} : { changeKey: () => keyDialog.open({ refused: false }) }),
    });
    composer = createComposerView(composerRoot, {
      texts: texts(),
      wording: { label: texts().askLabel, placeholder: texts().askPlaceholder, send: texts().ask },
      attachments: createAttachmentsView(texts()),
      send: ask,
      stop: () => void chat.stop(),
      draftChanged: (text) => chat.room !== undefined && session.setDraft(chat.room.knowledgeBase, text),
      toLatest: scroll.follow,
    });
    conversation = createConversationView(conversationRoot, {
      texts: texts(),
      language,
      actions: {
        openCitation: explain.openCitation,
        openTrace: (exchange) => void explain.openTrace(exchange),
        asking: { ask, askAgain, giveFeedback: chat.giveFeedback },
      },
    });
    composerRoot.hidden = chat.room === undefined;
    shownRoom = undefined;
    welcomeShows = '';
  }

  async function load(): Promise<void> {
    welcome.replaceChildren(element('p', { class: 'progress' }, texts().loading));
    try {
      catalogue = await api.readCatalogue();
    } catch (thrown) {
      showLoadFailure(thrown);
      return;
    }
    build();
    const ids = catalogue.knowledgeBases.map(({ id }) => id);
    const chosen = ids.find((id) => id === session.knowledgeBase()) ?? ids[0];
    if (chosen !== undefined) openKnowledgeBase(chosen);
    show();
    if (window.matchMedia('(pointer: fine)').matches) composer.focus();
    void reading.watch();
  }

  /** Counts change while the documents are read. */
  async function refreshCatalogue(): Promise<void> {
    catalogue = await api.readCatalogue();
    welcomeShows = '';
    show();
  }

  function showLoadFailure(thrown: unknown): void {
    const code =
      thrown instanceof AskbaseError && thrown.code === 'unauthorized' ? thrown.code : 'unreachable';
    const enterKey = (): void => keyDialog.open({ refused: true });
    const again = { type: 'button', class: 'button', onclick: () => void load() };
    welcome.hidden = false;
    welcome.replaceChildren(
      element(
        'div',
        { class: 'load-failure', role: 'alert' },
        element('p', {}, `${texts().loadFailed} ${texts().errors[code] ?? ''}`),
        code === 'unauthorized'
          ? element('button', { ...again, onclick: enterKey }, texts().key.enter)
          : element('button', again, texts().tryAgain),
      ),
    );
    if (code === 'unauthorized') enterKey();
  }

  function switchLanguage(next: Language): void {
    language = next;
    session.setLanguage(next);
    panel.close();
    const { images } = composer;
    build();
    composer.setImages(images);
    reading.show();
    show();
    required('top', HTMLElement).querySelector<HTMLElement>('.language-switch')?.focus();
  }

  function openKnowledgeBase(id: string): void {
    panel.close();
    chat.open(id);
  }

  function newConversation(): void {
    panel.close();
    chat.newConversation();
    composer.focus();
  }

  function ask(question: string, images: readonly string[] = []): void {
    void chat.ask(question, images);
    show();
    scroll.follow();
  }

  function askAgain(exchange: Exchange): void {
    void chat.askAgain(exchange);
    show();
    scroll.follow();
  }

  /** Many frames may come between two pictures; one update shows them all. */
  function requestShow(): void {
    if (frameRequested) return;
    frameRequested = true;
    requestAnimationFrame(() => {
      frameRequested = false;
      show();
    });
  }

  function show(): void {
    if (catalogue === undefined) return;
    const { room } = chat;
    const knowledgeBase = catalogue.knowledgeBases.find(({ id }) => id === room?.knowledgeBase);
    top.update({ knowledgeBase: room?.knowledgeBase, started: isStarted(room) });
    composerRoot.hidden = room === undefined;
    composer.setBusy(room !== undefined && isBusy(room));
    if (room !== shownRoom) changeRoom(room);
    showHandling(room);
    if (room === undefined || knowledgeBase === undefined || !isStarted(room)) {
      conversation.clear();
      showWelcome(catalogue, knowledgeBase);
      return;
    }
    welcome.hidden = true;
    conversation.update(room, knowledgeBase);
    announcer.announce(room);
    askForKey(room);
  }

  /** While a person answers, what is written goes to that person, who sees no images. */
  function showHandling(room: Room | undefined): void {
    strip.update(room?.handling);
    const withPerson = room?.handling?.state === 'operator';
    const operator = room?.handling?.operator ?? '';
    const { askLabel, askPlaceholder, ask: send, writeLabel, writePlaceholder, write } = texts();
    composer.takeImages(!withPerson);
    composer.setWording(
      withPerson
        ? { label: writeLabel, placeholder: writePlaceholder(operator), send: write }
        : { label: askLabel, placeholder: askPlaceholder, send },
    );
  }

  /** A key can end while the page is open: then the question says so, and the key is asked for once. */
  function askForKey({ exchanges }: Room): void {
    const last = exchanges.at(-1);
    if (last?.answer.error?.code !== 'unauthorized' || last.key === keyAskedFor) return;
    keyAskedFor = last.key;
    keyDialog.open({ refused: true });
  }

  function changeRoom(room: Room | undefined): void {
    if (shownRoom !== undefined) composer.setImages([]);
    shownRoom = room;
    composer.setText(room === undefined ? '' : session.draft(room.knowledgeBase));
    scroll.reset();
    composer.offerLatest(false);
  }

  function showWelcome(shown: Catalogue, knowledgeBase: KnowledgeBaseSummary | undefined): void {
    welcome.hidden = false;
    const id = knowledgeBase?.id ?? '';
    if (welcomeShows === `${language} ${id}`) return;
    welcomeShows = `${language} ${id}`;
    const hadFocus = welcome.contains(document.activeElement);
    const options = { texts: texts(), language, open: openKnowledgeBase, ask };
    welcome.replaceChildren(...welcomeView(shown, knowledgeBase?.id, options));
    if (hadFocus) welcome.querySelector<HTMLInputElement>('input:checked')?.focus();
  }
}

function isStarted(room: Room | undefined): boolean {
  return room !== undefined && (room.exchanges.length > 0 || room.loading !== 'done');
}
