import { type Identity, seesKnowledgeBase } from '../identity/identity.js';
import type { Access } from './access.js';
import type { OperatorDesk } from './operator-desk.js';
import { operatorClientEvents } from './operator-events.js';
import { parseInput } from './parse-input.js';

export interface OperatorHandlersOptions {
  desk: OperatorDesk;
  access: Access;
  /** Makes the socket hear what is told to these rooms. */
  join: (rooms: string[]) => Promise<void>;
}

/** Handlers of the events of `operator-events.ts` for one socket: each gives what the ack says beside `ok`. */
export function createOperatorHandlers({ desk, access, join }: OperatorHandlersOptions) {
  return {
    async 'conversation-watch'(payload: unknown, identity: Identity) {
      const { conversationId } = parseInput(operatorClientEvents['conversation-watch'].payload, payload);
      await access.toConversation(identity, conversationId);
      // Joined first: what is written while the state is read is told.
      await join([conversationRoom(conversationId)]);
      return { reply: await desk.read(conversationId) };
    },
    async 'handoffs-watch'(payload: unknown, identity: Identity) {
      parseInput(operatorClientEvents['handoffs-watch'].payload, payload);
      const { knowledgeBases } = identity;
      const rooms = knowledgeBases === 'all' ? [EVERY_HANDOFF] : [...knowledgeBases].map(handoffRoom);
      await join(rooms);
      return { reply: { handoffs: await listVisibleHandoffs(desk, identity) } };
    },
    async 'conversation-takeover'(payload: unknown, identity: Identity) {
      const { conversationId, operator } = parseInput(
        operatorClientEvents['conversation-takeover'].payload,
        payload,
      );
      await access.toConversation(identity, conversationId);
      await join([conversationRoom(conversationId)]);
      return { reply: { handling: await desk.takeOver(conversationId, operator) } };
    },
    async 'conversation-release'(payload: unknown, identity: Identity) {
      const { conversationId } = parseInput(operatorClientEvents['conversation-release'].payload, payload);
      await access.toConversation(identity, conversationId);
      return { reply: { handling: await desk.release(conversationId) } };
    },
    async 'operator-write'(payload: unknown, identity: Identity) {
      const { conversationId, text } = parseInput(operatorClientEvents['operator-write'].payload, payload);
      await access.toConversation(identity, conversationId);
      return { reply: { message: await desk.write(conversationId, text) } };
    },
  };
}

const MAX_LISTED = 200;

/** Conversations of the knowledge bases one may see that wait for a person or have one. */
export async function listVisibleHandoffs(desk: Pick<OperatorDesk, 'list'>, identity: Identity) {
  const handoffs = await desk.list({ limit: MAX_LISTED });
  return handoffs.filter(({ knowledgeBase }) => seesKnowledgeBase(identity, knowledgeBase));
}

/** Sockets of operators who see every knowledge base. */
const EVERY_HANDOFF = 'handoffs';

function handoffRoom(knowledgeBase: string): string {
  return `handoffs:${knowledgeBase}`;
}

/** Where operators hear of a conversation that they do not look at. */
export function handoffRooms({ knowledgeBase }: { knowledgeBase: string }): string[] {
  return [EVERY_HANDOFF, handoffRoom(knowledgeBase)];
}

/** Sockets that look at one conversation: those who ask there, and people who answer. */
export function conversationRoom(conversationId: string): string {
  return `conversation:${conversationId}`;
}
