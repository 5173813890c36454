import { z } from 'zod';
import { AppError, type PublicError } from '../errors.js';
import type { AnswerFrame, Citation, NoAnswerReason, Source, Usage } from '../frames.js';
import type { Turn } from '../types.js';
import { type CompletedFrame, sourcesOf } from './answer-reply.js';

const contentSchema = z.union([
  z.string(),
  z.array(
    z.discriminatedUnion('type', [
      z.object({ type: z.literal('text'), text: z.string() }),
      z.object({ type: z.literal('image_url'), image_url: z.object({ url: z.string() }) }),
    ]),
  ),
  z.null(),
]);

/**
 * What `POST /v1/chat/completions` takes of OpenAI's request. Sampling settings, tools and system messages are
 * accepted and not used: prompts and models are the server's.
 */
export const chatCompletionRequestSchema = z.object({
  /** Id of a knowledge base. */
  model: z.string().min(1),
  messages: z
    .array(
      z.object({
        role: z.enum(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
        content: contentSchema.optional(),
      }),
    )
    .min(1)
    .max(1000),
  n: z.literal(1).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  /** Ours: true writes `[n]` behind what source n supports; else citations are in `askbase.citations` only. */
  citation_markers: z.boolean().nullish(),
});

export type ChatCompletionRequest = z.output<typeof chatCompletionRequestSchema>;

/** The last user message is the question; what came before it are the turns. Throws AppError `invalid`. */
export function readChatMessages(messages: ChatCompletionRequest['messages']): {
  text: string;
  images: string[];
  turns: Turn[];
} {
  const last = messages.at(-1);
  if (last?.role !== 'user') throw new AppError('invalid', 'messages: the last one must be from the user');
  const turns: Turn[] = [];
  let question = '';
  for (const { role, content } of messages.slice(0, -1)) {
    if (role === 'user') question = textOf(content);
    if (role !== 'assistant' || question === '') continue;
    turns.push({ question, standalone: question, answer: textOf(content) });
    question = '';
  }
  const images = Array.isArray(last.content)
    ? last.content.flatMap((part) => (part.type === 'image_url' ? [part.image_url.url] : []))
    : [];
  return { text: textOf(last.content), images, turns };
}

function textOf(content: z.output<typeof contentSchema> | undefined): string {
  if (typeof content === 'string') return content;
  return (content ?? []).flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
}

/** What an OpenAI client does not know of: where the answer comes from. */
interface AskbaseField {
  conversationId: string;
  messageId: string;
  status: 'answered' | 'no-answer';
  reason?: NoAnswerReason | undefined;
  sources: Source[];
  citations: Citation[];
  degraded: string[];
}

export interface CompletionHead {
  messageId: string;
  model: string;
  /** Unix seconds. */
  created: number;
}

export function toAskbaseField(final: CompletedFrame, frames: readonly AnswerFrame[]): AskbaseField {
  const { conversationId, messageId, status, reason, citations, degraded } = final;
  return { conversationId, messageId, status, reason, sources: sourcesOf(frames), citations, degraded };
}

/** Nothing is spent where no model was asked. */
function toOpenAiUsage({
  promptTokens,
  completionTokens,
}: Pick<Usage, 'promptTokens' | 'completionTokens'>): object {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}

export type FinishReason = 'stop' | 'length';

export function finishReasonOf({ cutOff }: CompletedFrame): FinishReason {
  return cutOff === true ? 'length' : 'stop';
}

const NO_USAGE = { promptTokens: 0, completionTokens: 0 };

export function toChatCompletion(
  head: CompletionHead,
  final: CompletedFrame,
  { frames, markers }: { frames: readonly AnswerFrame[]; markers: boolean },
): object {
  const content = markers ? withMarkers(final) : final.text;
  const message = { role: 'assistant', content, refusal: null };
  return {
    ...completionFields(head, 'chat.completion'),
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReasonOf(final) }],
    usage: toOpenAiUsage(final.usage ?? NO_USAGE),
    askbase: toAskbaseField(final, frames),
  };
}

/** The answer with `[n]` behind each cited span. */
function withMarkers({ text, citations }: CompletedFrame): string {
  let marked = '';
  let from = 0;
  for (const { n, span } of citations.toSorted((a, b) => a.span[1] - b.span[1] || a.n - b.n)) {
    marked += `${text.slice(from, span[1])}${toMarker(n)}`;
    from = span[1];
  }
  return marked + text.slice(from);
}

export function toMarker(n: number): string {
  return `[${n}]`;
}

/** One chunk of a streamed reply. */
export function toChunk(
  head: CompletionHead,
  delta: { role?: 'assistant'; content?: string },
  finishReason: FinishReason | null = null,
): object {
  return {
    ...completionFields(head, 'chat.completion.chunk'),
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
  };
}

export function toUsageChunk(head: CompletionHead, final: CompletedFrame): object {
  return {
    ...completionFields(head, 'chat.completion.chunk'),
    choices: [],
    usage: toOpenAiUsage(final.usage ?? NO_USAGE),
  };
}

function completionFields({ messageId, model, created }: CompletionHead, object: string): object {
  return { id: `chatcmpl-${messageId}`, object, created, model };
}

/** Our error with the fields that OpenAI clients read. */
export function toOpenAiError(
  error: PublicError,
  status: number,
): PublicError & { type: string; param: null } {
  const type = status >= 500 ? 'server_error' : status === 429 ? 'rate_limit_error' : 'invalid_request_error';
  return { ...error, type, param: null };
}
