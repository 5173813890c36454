import OpenAI, { APIConnectionTimeoutError, APIError } from 'openai';
import type {
  ChatCompletionChunk,
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import { AppError } from '../errors.js';
import type { FlushClock } from '../flush-clock.js';
import type { Logger } from '../telemetry/logger.js';
import type { ChatEvent, ChatMessage, ChatModel } from './chat-model.js';
import { readEventData } from './eventsource-data.js';
import { createModelCooldown } from './model-cooldown.js';
import { createThinkingStripper } from './strip-thinking.js';
import { createFetch } from './undici-fetch.js';
import { createWatchdog } from './watchdog.js';

/** Milliseconds, but `characters`. */
export interface ChatLimits {
  /** For TCP and TLS. */
  connect: number;
  /** From the request to the first sign of life: text, or thinking of a reasoning model. */
  firstToken: number;
  /** Between two signs of life. */
  silence: number;
  /** For the whole answer. */
  total: number;
  /** Of text in one answer: some models repeat themselves without end. */
  characters: number;
  /** How long a model that failed is passed over, where it did not say itself. */
  rest: number;
}

const DEFAULT_LIMITS: ChatLimits = {
  connect: 5_000,
  firstToken: 60_000,
  silence: 30_000,
  total: 300_000,
  characters: 50_000,
  rest: 30_000,
};

export interface OpenAIChatModelOptions {
  apiKey: string;
  /** With the version: `https://api.openai.com/v1`. */
  baseUrl: string;
  /** In order of preference; at least one. */
  models: readonly string[];
  logger: Logger;
  /** More headers of each request: those of its trace. */
  requestHeaders?: () => Readonly<Record<string, string>>;
  /**
   * After the first text, what comes between two moments of it is read in one piece: all that an answer goes through on its way is done
   * once for it. Where absent, text is read as it comes.
   */
  clock?: Pick<FlushClock, 'untilNextTick'>;
  limits?: Partial<ChatLimits>;
}

/** Any service with OpenAI's chat completions: OpenAI, DashScope, DeepSeek, Ollama, vLLM, … */
export function createOpenAIChatModel(options: OpenAIChatModelOptions): ChatModel {
  const { models, logger } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const cooldown = createModelCooldown();
  const client = createClient(options, limits);

  return {
    models,
    async *stream(messages, { signal }) {
      const failures: AppError[] = [];
      for (const model of cooldown.usable(models)) {
        let started = false;
        try {
          for await (const event of client.stream(model, messages, signal)) {
            started ||= event.type === 'text';
            yield event;
          }
          if (!started) throw new AppError('model-failed', 'The language model said nothing.');
          cooldown.succeeded(model);
          return;
        } catch (thrown) {
          const error = thrown as AppError;
          if (error.code === 'stopped') throw error;
          const { code, retryAfterSeconds } = error;
          logger.warn('A chat model failed', { model, code, started, status: statusOf(error) });
          if (!isRefusal(error)) {
            cooldown.failed(model, retryAfterSeconds === undefined ? limits.rest : retryAfterSeconds * 1_000);
          }
          if (started) throw error;
          failures.push(error);
        }
      }
      throw summarise(failures);
    },
  };
}

/** Reasons of a service to end an answer that the model had not ended. */
const CUT_OFF = new Set(['length', 'content_filter']);

interface Client {
  /** One attempt with one model. Throws AppErrors only. */
  stream(model: string, messages: readonly ChatMessage[], signal: AbortSignal): AsyncGenerator<ChatEvent>;
}

function createClient(
  { apiKey, baseUrl, requestHeaders = () => ({}), clock }: OpenAIChatModelOptions,
  limits: ChatLimits,
): Client {
  const openai = new OpenAI({
    apiKey,
    baseURL: baseUrl,
    fetch: createFetch({ connectMs: limits.connect }),
    // We fail over ourselves, and keep the time ourselves.
    maxRetries: 0,
    timeout: limits.total,
    // Everything is given here: the package would otherwise read the environment and write to the console.
    organization: null,
    project: null,
    adminAPIKey: null,
    webhookSecret: null,
    logLevel: 'off',
  });
  /** Models whose service refuses `stream_options`. */
  const withoutUsage = new Set<string>();

  const open = async (
    model: string,
    messages: readonly ChatMessage[],
    signal: AbortSignal,
  ): Promise<Response> => {
    const request: ChatCompletionCreateParamsStreaming = {
      model,
      messages: messages.map(toWire),
      stream: true,
    };
    const options = { signal, headers: requestHeaders() };
    const { completions } = openai.chat;
    if (withoutUsage.has(model)) return completions.create(request, options).asResponse();
    try {
      return await completions
        .create({ ...request, stream_options: { include_usage: true } }, options)
        .asResponse();
    } catch (thrown) {
      if (!isBadRequest(thrown)) throw thrown;
      const response = await completions.create(request, options).asResponse();
      withoutUsage.add(model);
      return response;
    }
  };

  return {
    async *stream(model, messages, signal) {
      const watchdog = createWatchdog(signal);
      const deadline = performance.now() + limits.total;
      const allow = (milliseconds: number): void =>
        watchdog.allow(Math.max(0, Math.min(milliseconds, deadline - performance.now())));
      const giveUp = (cause?: unknown): AppError => {
        if (signal.aborted) return new AppError('stopped', undefined, { cause });
        if (watchdog.barked) return new AppError('timeout', 'The language model took too long.', { cause });
        return translate(cause);
      };
      try {
        allow(limits.firstToken);
        const thinking = createThinkingStripper();
        let usage: ChatCompletionChunk['usage'];
        let isCutOff = false;
        let length = 0;
        for await (const chunks of readChunks(await open(model, messages, watchdog.signal))) {
          let isAlive = false;
          let text = '';
          for (const chunk of chunks) {
            usage = chunk.usage ?? usage;
            isCutOff ||= CUT_OFF.has(chunk.choices?.[0]?.finish_reason ?? '');
            isAlive ||= showsLife(chunk);
            text += thinking.push(chunk.choices?.[0]?.delta?.content ?? '');
          }
          if (!isAlive) continue;
          // A slow reader is not a silent model.
          watchdog.pause();
          if (text !== '') yield { type: 'text', text };
          length += text.length;
          if (length > limits.characters) {
            yield { type: 'cut-off' };
            return;
          }
          if (text !== '') await clock?.untilNextTick();
          allow(limits.silence);
        }
        const rest = thinking.finish();
        if (rest !== '') yield { type: 'text', text: rest };
        if (isCutOff) yield { type: 'cut-off' };
        if (usage) yield { type: 'usage', usage: fromWire(model, usage) };
      } catch (thrown) {
        throw giveUp(thrown);
      } finally {
        watchdog.close();
      }
    },
  };
}

function toWire({ role, content, images = [] }: ChatMessage): ChatCompletionMessageParam {
  if (role !== 'user' || images.length === 0) return { role, content };
  return {
    role,
    content: [
      { type: 'text', text: content },
      ...images.map((url) => ({ type: 'image_url' as const, image_url: { url } })),
    ],
  };
}

function fromWire(model: string, usage: NonNullable<ChatCompletionChunk['usage']>) {
  return { model, promptTokens: usage.prompt_tokens ?? 0, completionTokens: usage.completion_tokens ?? 0 };
}

/** All chunks that have come since the last read. */
async function* readChunks({ body }: Response): AsyncGenerator<ChatCompletionChunk[]> {
  if (body === null) return;
  for await (const data of readEventData(body)) {
    yield data.filter((line) => line !== END).map(parseChunk);
  }
}

const END = '[DONE]';

function parseChunk(data: string): ChatCompletionChunk {
  const chunk = JSON.parse(data);
  if (chunk?.error) throw new Error('The service sent an error inside its stream.', { cause: chunk.error });
  return chunk;
}

/** Text or thinking; services send empty chunks to keep a connection open, too. */
function showsLife({ choices }: ChatCompletionChunk): boolean {
  const delta = choices?.[0]?.delta as {
    content?: unknown;
    reasoning_content?: unknown;
    reasoning?: unknown;
  };
  return Boolean(delta?.content || delta?.reasoning_content || delta?.reasoning);
}

function translate(thrown: unknown): AppError {
  if (thrown instanceof APIConnectionTimeoutError) {
    return new AppError('timeout', 'The language model could not be reached in time.', { cause: thrown });
  }
  if (!(thrown instanceof APIError) || thrown.status === undefined) {
    return new AppError('model-failed', undefined, { cause: thrown });
  }
  const { status, headers, code } = thrown;
  const busy = (status === 429 && code !== 'insufficient_quota') || status === 503 || status === 529;
  if (busy) {
    const retryAfterSeconds = readRetryAfter(headers);
    return new AppError('overloaded', 'The language model is busy; try again shortly.', {
      cause: thrown,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    });
  }
  if (status === 408 || status === 504) return new AppError('timeout', undefined, { cause: thrown });
  return new AppError('model-failed', undefined, { cause: thrown, retryable: status >= 500 });
}

const LONGEST_RETRY_AFTER_SECONDS = 300;

/** Seconds or a date. */
function readRetryAfter(headers: Headers | undefined): number | undefined {
  const value = headers?.get('retry-after');
  if (value === null || value === undefined) return undefined;
  const seconds = /^\d+$/.test(value) ? Number(value) : Math.ceil((Date.parse(value) - Date.now()) / 1_000);
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 1), LONGEST_RETRY_AFTER_SECONDS);
}

function isBadRequest(thrown: unknown): boolean {
  return thrown instanceof APIError && (thrown.status === 400 || thrown.status === 422);
}

/** The model did not want this request (too long, pictures, …): it is not down. */
function isRefusal({ cause }: AppError): boolean {
  return isBadRequest(cause) || (cause instanceof APIError && cause.status === 413);
}

function statusOf({ cause }: AppError): number | undefined {
  return cause instanceof APIError ? cause.status : undefined;
}

/** What the client is told when no model answered: the failure that gives most hope. */
function summarise(failures: readonly AppError[]): AppError {
  const [first] = failures;
  if (failures.length === 1 && first !== undefined) return first;
  const told = failures.find(({ retryable }) => retryable) ?? first;
  return new AppError(told?.code ?? 'model-failed', told?.message, {
    cause: new AggregateError(failures, 'No chat model answered'),
    ...(told === undefined ? {} : { retryable: told.retryable }),
    ...(told?.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: told.retryAfterSeconds }),
  });
}
