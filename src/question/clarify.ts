import { type KnowledgeBase, localized } from '../ingest/knowledge-base.js';
import type { Language, Turn } from '../types.js';
import { mentions } from './find-phrases.js';

/** What is missing from a question, and how to ask for it. */
export interface OpenSlot {
  id: string;
  ask: string;
}

/** A reply to a question of ours is short and asks nothing. */
const LONGEST_REPLY = 120;
const ASKS =
  /[?？]|^(?:what|how|when|where|who|why|which|can|could|is|are|do|does|should)\b|什么|怎么|怎样|如何|多少|多久|吗\s*$|呢\s*$/i;

/**
 * The next thing to ask back, where the question speaks of something that cannot be answered well without it. Each is
 * asked once: whoever does not want to say it gets an answer all the same.
 *
 * @param text the question with the replies to what was asked before
 */
export function findOpenSlot(
  text: string,
  turns: readonly Turn[],
  { clarify }: Pick<KnowledgeBase, 'clarify'>,
  language: Language,
): OpenSlot | undefined {
  const asked = askedBefore(turns);
  for (const { id, when, filledBy, ask } of clarify) {
    const wasAsked = [ask.en, ask.zh].some((wording) => wording !== undefined && asked.has(wording));
    if (!wasAsked && mentions(text, when) && !mentions(text, filledBy)) {
      return { id, ask: localized(ask, language) };
    }
  }
  return undefined;
}

/** The question that was asked back about, together with the reply; undefined where the text is no reply. */
export function joinReply(text: string, turns: readonly Turn[]): string | undefined {
  const last = turns.at(-1);
  if (last?.asksBack !== true || text.length > LONGEST_REPLY || ASKS.test(text)) return undefined;
  return /\p{Script=Han}/u.test(text) ? `${last.standalone}（${text}）` : `${last.standalone} (${text})`;
}

/** What was asked back since the last answer. */
function askedBefore(turns: readonly Turn[]): ReadonlySet<string> {
  const asked = new Set<string>();
  for (const turn of turns.toReversed()) {
    if (turn.asksBack !== true) break;
    asked.add(turn.answer);
  }
  return asked;
}
