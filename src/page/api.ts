import { AskbaseError, unreachable } from '../client/askbase-error.js';
import type {
  AnswerFrame,
  ConversationSummary,
  PublicError,
  RelevanceExplanation,
  StoredMessage,
  Trace,
} from '../client/protocol.js';
import type { Language } from './language.js';

type Localized = Partial<Record<Language, string>>;

export interface KnowledgeBaseSummary {
  id: string;
  title: Localized;
  description?: Localized;
  languages: Language[];
  starters: Partial<Record<Language, string[]>>;
  disclaimer?: Localized;
  documents: number;
  passages: number;
}

export interface Catalogue {
  knowledgeBases: KnowledgeBaseSummary[];
  mode: 'model' | 'extractive';
  /** `chat`: names of the chat models in order of preference; empty when extractive. */
  models: { chat: string[]; embedder: string | null; reranker: string | null };
}

interface Readiness {
  dependencies: Record<string, { ready: boolean } | undefined>;
}

/** What the page reads over HTTP. Every method throws AskbaseError. */
export interface Api {
  readCatalogue(): Promise<Catalogue>;
  /** Messages in order; `not-found` where the server no longer has the conversation. */
  readConversation(conversationId: string): Promise<StoredMessage[]>;
  /** The latest ones that one may see, latest first. */
  listConversations(): Promise<ConversationSummary[]>;
  readFrames(messageId: string): Promise<AnswerFrame[]>;
  readTrace(messageId: string): Promise<Trace>;
  readExplanation(messageId: string, passageId: string): Promise<RelevanceExplanation>;
  /** Whether the server has read its knowledge folder; before, answers may miss what is not read yet. */
  isKnowledgeRead(): Promise<boolean>;
}

const MOST_LISTED = 200;

/** `token` is asked for at every request; undefined: none is sent. */
export function createApi({ token }: { token: () => string | undefined }): Api {
  async function get<Reply>(path: string): Promise<Reply> {
    const key = token();
    try {
      const response = await fetch(path, {
        headers: {
          accept: 'application/json',
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        },
      });
      const body: unknown = await response.json();
      if (response.ok) return body as Reply;
      throw new AskbaseError((body as { error: PublicError }).error);
    } catch (thrown) {
      throw thrown instanceof AskbaseError ? thrown : unreachable();
    }
  }

  return {
    readCatalogue: () => get<Catalogue>('/v1/knowledge-bases'),
    async readConversation(conversationId) {
      const { messages } = await get<{ messages: StoredMessage[] }>(
        `/v1/conversations/${encodeURIComponent(conversationId)}`,
      );
      return messages;
    },
    async listConversations() {
      const { conversations } = await get<{ conversations: ConversationSummary[] }>(
        `/v1/conversations?limit=${MOST_LISTED}`,
      );
      return conversations;
    },
    async readFrames(messageId) {
      const { frames } = await get<{ frames: AnswerFrame[] }>(
        `/v1/answers/${encodeURIComponent(messageId)}/frames`,
      );
      return frames;
    },
    readTrace: (messageId) => get<Trace>(`/v1/messages/${encodeURIComponent(messageId)}/trace`),
    readExplanation: (messageId, passageId) =>
      get<RelevanceExplanation>(
        `/v1/messages/${encodeURIComponent(messageId)}/trace/passages/${encodeURIComponent(passageId)}/explanation`,
      ),
    async isKnowledgeRead() {
      try {
        // 503 while anything is not ready: which part it is stands in the body all the same.
        const response = await fetch('/readyz');
        const { dependencies } = (await response.json()) as Readiness;
        return dependencies.knowledge?.ready !== false;
      } catch {
        throw unreachable();
      }
    },
  };
}
