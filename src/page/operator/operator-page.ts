import type { AskbaseClient } from '../../client/askbase-client.js';
import { AskbaseError } from '../../client/askbase-error.js';
import { createAnnouncer } from '../announcer.js';
import type { Api, KnowledgeBaseSummary } from '../api.js';
import { createBanner } from '../banner.js';
import { type ComposerView, createComposerView } from '../composer-view.js';
import { type ConversationView, createConversationView } from '../conversation-view.js';
import { element, required } from '../dom.js';
import { createExplain } from '../explain.js';
import { createKeyDialog } from '../key-dialog.js';
import { chooseLanguage, type Language } from '../language.js';
import type { Room } from '../room.js';
import { createScrollFollow } from '../scroll-follow.js';
import type { Session } from '../session.js';
import { createSidePanel } from '../side-panel.js';
import { textsFor } from '../texts.js';
import { keyButton, languageSwitch, wordmark } from '../top-bar.js';
import { createDesk } from './desk.js';
import { createHandoffListView } from './handoff-list-view.js';
import { operatorTextsFor } from './operator-texts.js';
import { createPaneHeader } from './pane-header.js';

export interface OperatorPageOptions {
  client: AskbaseClient;
  api: Api;
  session: Session;
}

/** Builds the page of those who take conversations over, and keeps it in step with the desk. */
export function startOperatorPage({ client, api, session }: OperatorPageOptions): void {
  const composerRoot = required('composer', HTMLElement);
  const conversationRoot = required('conversation', HTMLElement);
  const news = required('news', HTMLElement);
  let language = chooseLanguage(session.language(), navigator.languages);
  const texts = () => textsFor(language);
  const words = () => operatorTextsFor(language);

  let knowledgeBases: readonly KnowledgeBaseSummary[] = [];
  let list: ReturnType<typeof createHandoffListView>;
  let header: ReturnType<typeof createPaneHeader>;
  let conversation: ConversationView;
  let composer: ComposerView;
  let shownRoom: Room | undefined;

  const panel = createSidePanel(required('panel', HTMLDialogElement), texts);
  const explain = createExplain({ api, panel, texts });
  const announcer = createAnnouncer(required('announcer', HTMLElement), texts);
  const scroll = createScrollFollow(required('scroller', HTMLElement), {
    content: conversationRoot,
    onChange: (atEnd) => composer.offerLatest(!atEnd && desk.room !== undefined),
  });
  const keyDialog = createKeyDialog(required('key-dialog', HTMLDialogElement), { session, texts });
  createBanner(required('banner', HTMLElement), client, texts);
  const desk = createDesk({
    client,
    api,
    onChange: () => show(),
    onNews(told) {
      news.textContent =
        'waiting' in told
          ? words().newsWaiting(told.waiting.title ?? '')
          : words().newsQuestion(told.question.text);
    },
  });
  build();
  void load();

  /** Makes everything that has words in it, in the page's language. */
  function build(): void {
    document.documentElement.lang = language;
    const top = { texts: texts(), language };
    required('top', HTMLElement).replaceChildren(
      wordmark(),
      element('h1', { class: 'desk-title' }, words().title),
      element(
        'div',
        { class: 'top-end' },
        session.apiKey() !== undefined &&
          keyButton({ ...top, changeKey: () => keyDialog.open({ refused: false }) }),
        languageSwitch({ ...top, switchLanguage: () => switchLanguage(language === 'en' ? 'zh' : 'en') }),
      ),
    );
    list = createHandoffListView(required('handoffs', HTMLElement), {
      words: words(),
      language,
      knowledgeBases,
      open(chosen) {
        panel.close();
        desk.open(chosen);
        header.focus();
      },
    });
    header = createPaneHeader(required('pane-header', HTMLElement), {
      words: words(),
      name: session.operatorName(),
      takeOver: (name) => void takeOver(name),
      release: () => void desk.release(),
      back,
    });
    composer = createComposerView(composerRoot, {
      texts: texts(),
      wording: { label: words().replyLabel, placeholder: words().replyPlaceholder, send: words().reply },
      send: (text) => void reply(text),
      toLatest: scroll.follow,
    });
    conversation = createConversationView(conversationRoot, {
      texts: texts(),
      language,
      actions: {
        openCitation: explain.openCitation,
        openTrace: (exchange) => void explain.openTrace(exchange),
      },
    });
    show();
  }

  async function load(): Promise<void> {
    try {
      ({ knowledgeBases } = await api.readCatalogue());
      build();
    } catch (thrown) {
      if (!(thrown instanceof AskbaseError)) throw thrown;
      if (thrown.code === 'unauthorized') keyDialog.open({ refused: true });
    }
  }

  function switchLanguage(next: Language): void {
    language = next;
    session.setLanguage(next);
    panel.close();
    build();
    required('top', HTMLElement).querySelector<HTMLElement>('.language-switch')?.focus();
  }

  async function takeOver(name: string): Promise<void> {
    session.setOperatorName(name);
    if (await desk.takeOver(name)) composer.focus();
  }

  /** What could not be sent stands in the field again. */
  async function reply(text: string): Promise<void> {
    if (!(await desk.reply(text))) composer.setText(text);
  }

  function back(): void {
    panel.close();
    const openId = desk.room?.conversationId;
    desk.close();
    document.querySelector<HTMLElement>(`[data-conversation="${openId}"]`)?.focus();
  }

  function show(): void {
    const { room, conversations } = desk;
    const waiting = conversations.filter(({ handling }) => handling.state === 'waiting').length;
    document.title = words().pageTitle(waiting);
    document.body.classList.toggle('is-open', room !== undefined);
    list.update(desk);
    header.update(desk);
    const { state, operator } = room?.handling ?? {};
    composerRoot.hidden = state !== 'operator' || operator !== session.operatorName();
    showConversation(room);
  }

  function showConversation(room: Room | undefined): void {
    if (room !== shownRoom) {
      shownRoom = room;
      composer.setText('');
      scroll.follow();
    }
    if (room === undefined) {
      conversation.clear();
      return;
    }
    const summary = knowledgeBases.find(({ id }) => id === room.knowledgeBase);
    conversation.update(room, summary);
    announcer.announce(room);
  }
}
