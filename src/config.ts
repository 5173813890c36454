import { isAbsolute, join } from 'node:path';
import { z } from 'zod';

const device = z.enum(['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml']);
const text = z.string().trim().min(1);
const url = z.url({ protocol: /^https?$/ });
const count = z.coerce.number().int().min(1).max(1000);
const list = text.transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

/** `https://shop.example`, as browsers send it. */
const origin = url.refine((value) => new URL(value).origin === value);
const amount = z.coerce.number().int().min(1).max(100_000_000);

/** `questions=60,tokens=300000,answers=4`: per minute, per minute, at a time; what is left out keeps its default. */
function share(defaults: { questions: number; tokens: number; answers: number }) {
  const names = Object.keys(defaults) as (keyof typeof defaults)[];
  const pattern = new RegExp(`^(?:${names.join('|')})=[1-9]\\d{0,8}$`);
  return list
    .refine((pairs) => pairs.every((pair) => pattern.test(pair)), {
      error: `must look like ${names.map((name) => `${name}=${defaults[name]}`).join(',')}`,
    })
    .transform((pairs) => {
      const given = Object.fromEntries(pairs.map((pair) => pair.split('=') as [string, string]));
      const of = (name: keyof typeof defaults): number => Number(given[name] ?? defaults[name]);
      return {
        questionsPerMinute: of('questions'),
        tokensPerMinute: of('tokens'),
        answersAtOnce: of('answers'),
      };
    })
    .prefault(names.map((name) => `${name}=${defaults[name]}`).join(','));
}

/** `model=in/out` per million tokens, several with commas: `gpt-4o-mini=0.15/0.60,qwen-plus=0.8/2`. */
const prices = list.transform((items, context) => {
  const entries = items.flatMap((item): [string, TokenPrice][] => {
    const [, model, prompt, completion] = /^(.+)=(\d+(?:\.\d+)?)\/(\d+(?:\.\d+)?)$/.exec(item) ?? [];
    if (model === undefined) context.addIssue('must be model=in/out, prices per million tokens');
    return model === undefined
      ? []
      : [[model.trim(), { prompt: Number(prompt), completion: Number(completion) }]];
  });
  return Object.fromEntries(entries);
});

/** `name=value` pairs as OpenTelemetry writes them: values are percent-encoded. */
const headers = list.transform((items, context) => {
  const entries = items.flatMap((item): [string, string][] => {
    const [, name, encoded = ''] = /^([\w-]+)=([!-~ ]*)$/.exec(item) ?? [];
    const value = decodePercents(encoded);
    if (name === undefined || value === undefined)
      context.addIssue('must be name=value, several with commas');
    return name === undefined || value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(entries);
});

/** Undefined where it is not well encoded. */
function decodePercents(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

/** Every setting of the server, by the name of its environment variable. `.env.example` explains each. */
const environmentSchema = z.object({
  HOST: text.default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  DATA_DIR: text.default('data'),
  KNOWLEDGE_DIR: text.default('knowledge'),
  MODELS_DIR: text.default('models'),
  PROMPTS_DIR: text.default('prompts'),
  OPENAI_API_KEY: text.optional(),
  OPENAI_BASE_URL: url.optional(),
  CHAT_MODEL: list.optional(),
  CHAT_PRICES: prices.optional(),
  VISION_MODEL: list.optional(),
  DASHSCOPE_API_KEY: text.optional(),
  QDRANT_URL: list.pipe(z.array(url).min(1)).optional(),
  QDRANT_API_KEY: text.optional(),
  QDRANT_COLLECTION: text.default('askbase'),
  QDRANT_SHARDS: count.optional(),
  QDRANT_REPLICAS: count.optional(),
  QDRANT_WRITE_CONSISTENCY: count.optional(),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  EMBED_MODEL: text.default('askbase-embed-small'),
  RERANK_MODEL: text.default('askbase-rerank-small'),
  EMBED_DEVICE: device.default('auto'),
  RERANK_DEVICE: device.default('auto'),
  RERANK_URL: url.optional(),
  CONVERSATION_DAYS: z.coerce.number().int().min(1).max(36_500).optional(),
  AUTH: z.enum(['auto', 'required', 'off']).default('auto'),
  ALLOWED_ORIGINS: list.pipe(z.array(origin)).optional(),
  TOKEN_SECRET: text.pipe(z.string().min(32)).optional(),
  JWT_JWKS_URL: url.optional(),
  JWT_ISSUER: text.optional(),
  JWT_AUDIENCE: text.optional(),
  ANSWERS_AT_ONCE: amount.default(256),
  MODEL_REQUESTS_AT_ONCE: amount.default(64),
  ANSWER_GRACE_SECONDS: amount.default(60),
  REQUESTS_PER_MINUTE: amount.default(600),
  LIMIT_PER_SOCKET: share({ questions: 60, tokens: 300_000, answers: 4 }),
  LIMIT_PER_ADDRESS: share({ questions: 600, tokens: 3_000_000, answers: 64 }),
  LIMIT_PER_KEY: share({ questions: 600, tokens: 3_000_000, answers: 64 }),
  OTEL_EXPORTER_OTLP_ENDPOINT: url.optional(),
  OTEL_EXPORTER_OTLP_HEADERS: headers.optional(),
  OTEL_SERVICE_NAME: text.default('askbase'),
  LOG_LEVEL: z.enum(['error', 'warn', 'info', 'debug']).default('info'),
  NODE_ENV: text.default('development'),
});

export type Device = z.infer<typeof device>;

/** Per million tokens, in whatever currency all prices are in. */
export interface TokenPrice {
  prompt: number;
  completion: number;
}

interface ConfigShare {
  questionsPerMinute: number;
  tokensPerMinute: number;
  answersAtOnce: number;
}

export interface Config {
  host: string;
  port: number;
  dataDir: string;
  knowledgeDir: string;
  modelsDir: string;
  promptsDir: string;
  /** By model; those without a price are not in it. */
  prices: Record<string, TokenPrice>;
  /** Absent: the embedded index. What is absent in `layout` the server decides. */
  qdrant?: {
    urls: string[];
    apiKey?: string;
    collection: string;
    layout: { shards?: number; replicas?: number; writeConsistency?: number };
  };
  /** Absent: answers are extractive. `visionModels` get the questions with images; empty: those are refused. */
  chat?: { apiKey: string; baseUrl: string; models: string[]; visionModels: string[] };
  embed: { model: string; device: Device };
  /** Absent: conversations, traces and feedback in a file of DATA_DIR, and no other server shares them. */
  redis?: { url: string };
  /** `url`: another server reranks. */
  rerank: { model: string; device: Device; url?: string };
  /** Conversations without a message for so long are deleted. Absent: they are kept. */
  conversationDays?: number;
  /** `auto`: keys are asked for from the first one on; without any, only this machine is listened to. */
  auth: 'auto' | 'required' | 'off';
  /** Pages of other sites that may call us. */
  allowedOrigins: string[];
  /** Signs visitor tokens. Absent: one is made and kept in the store. */
  tokenSecret?: string;
  /** Absent: no tokens of an identity provider are taken. */
  identityProvider?: { jwksUrl: string; issuer: string; audience: string };
  /** HTTP requests per network address. */
  requestsPerMinute: number;
  answers: {
    /** In this process; one more is refused with `overloaded`. */
    atOnce: number;
    /** To the language model; more wait in a fair queue. */
    modelRequestsAtOnce: number;
    /** How long an answer that nobody follows goes on. */
    graceMs: number;
    /** What one socket, address and key may use. */
    shares: Record<'socket' | 'address' | 'key', ConfigShare>;
  };
  /** Absent: there are no traces but those in the store. `headers` may hold a key of the collector. */
  tracing?: { endpoint: string; headers: Record<string, string>; serviceName: string };
  logLevel: 'error' | 'warn' | 'info' | 'debug';
  production: boolean;
}

const DASHSCOPE_BASE_URL = 'https://dashscope.aliyuncs.com/compatible-mode/v1';
const DASHSCOPE_MODELS = ['qwen-plus'];
const OPENAI_BASE_URL = 'https://api.openai.com/v1';
const OPENAI_MODELS = ['gpt-4o-mini'];

/** All that is wrong with the environment, by variable name and never by value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration is not valid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/**
 * Reads the settings from the environment. An empty variable counts as unset.
 *
 * @param rootDir what relative folders are relative to
 * @throws ConfigError naming every variable that is wrong
 */
export function readConfig(env: Record<string, string | undefined>, rootDir: string): Config {
  const given = Object.fromEntries(
    Object.keys(environmentSchema.shape)
      .filter((name) => env[name] !== undefined && env[name] !== '')
      .map((name) => [name, env[name]]),
  );
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map(describeProblem));

  const settings = parsed.data;
  const folder = (path: string): string => (isAbsolute(path) ? path : join(rootDir, path));
  const chat = readChat(settings);
  const identityProvider = readIdentityProvider(settings);
  return Object.freeze({
    host: settings.HOST,
    port: settings.PORT,
    dataDir: folder(settings.DATA_DIR),
    knowledgeDir: folder(settings.KNOWLEDGE_DIR),
    modelsDir: folder(settings.MODELS_DIR),
    promptsDir: folder(settings.PROMPTS_DIR),
    ...(chat === undefined ? {} : { chat }),
    prices: settings.CHAT_PRICES ?? {},
    ...readQdrant(settings),
    ...(settings.REDIS_URL === undefined ? {} : { redis: { url: settings.REDIS_URL } }),
    embed: { model: settings.EMBED_MODEL, device: settings.EMBED_DEVICE },
    rerank: {
      model: settings.RERANK_MODEL,
      device: settings.RERANK_DEVICE,
      ...(settings.RERANK_URL === undefined ? {} : { url: settings.RERANK_URL }),
    },
    ...(settings.CONVERSATION_DAYS === undefined ? {} : { conversationDays: settings.CONVERSATION_DAYS }),
    auth: settings.AUTH,
    allowedOrigins: settings.ALLOWED_ORIGINS ?? [],
    ...(settings.TOKEN_SECRET === undefined ? {} : { tokenSecret: settings.TOKEN_SECRET }),
    ...(identityProvider === undefined ? {} : { identityProvider }),
    requestsPerMinute: settings.REQUESTS_PER_MINUTE,
    answers: {
      atOnce: settings.ANSWERS_AT_ONCE,
      modelRequestsAtOnce: settings.MODEL_REQUESTS_AT_ONCE,
      graceMs: 1000 * settings.ANSWER_GRACE_SECONDS,
      shares: {
        socket: settings.LIMIT_PER_SOCKET,
        address: settings.LIMIT_PER_ADDRESS,
        key: settings.LIMIT_PER_KEY,
      },
    },
    ...readTracing(settings),
    logLevel: settings.LOG_LEVEL,
    production: settings.NODE_ENV === 'production',
  });
}

function readQdrant(settings: z.infer<typeof environmentSchema>): Pick<Config, 'qdrant'> {
  const { QDRANT_URL: urls, QDRANT_API_KEY: apiKey, QDRANT_COLLECTION: collection } = settings;
  const { QDRANT_SHARDS: shards, QDRANT_REPLICAS: replicas, QDRANT_WRITE_CONSISTENCY: copies } = settings;
  if (urls === undefined) return {};
  return {
    qdrant: {
      urls,
      collection,
      layout: {
        ...(shards === undefined ? {} : { shards }),
        ...(replicas === undefined ? {} : { replicas }),
        ...(copies === undefined ? {} : { writeConsistency: copies }),
      },
      ...(apiKey === undefined ? {} : { apiKey }),
    },
  };
}

function readTracing(settings: z.infer<typeof environmentSchema>): Pick<Config, 'tracing'> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_HEADERS: headers = {} } = settings;
  if (endpoint === undefined) return {};
  return { tracing: { endpoint, headers, serviceName: settings.OTEL_SERVICE_NAME } };
}

/** A local server (Ollama, vLLM) needs an address but no key; Qwen needs only its key. */
function readChat(settings: z.infer<typeof environmentSchema>): Config['chat'] {
  const { OPENAI_API_KEY, OPENAI_BASE_URL: baseUrl, DASHSCOPE_API_KEY, CHAT_MODEL } = settings;
  const visionModels = settings.VISION_MODEL ?? [];
  if (OPENAI_API_KEY !== undefined || baseUrl !== undefined) {
    return {
      apiKey: OPENAI_API_KEY ?? DASHSCOPE_API_KEY ?? 'none',
      baseUrl: baseUrl ?? OPENAI_BASE_URL,
      models: CHAT_MODEL ?? OPENAI_MODELS,
      visionModels,
    };
  }
  if (DASHSCOPE_API_KEY !== undefined) {
    return {
      apiKey: DASHSCOPE_API_KEY,
      baseUrl: DASHSCOPE_BASE_URL,
      models: CHAT_MODEL ?? DASHSCOPE_MODELS,
      visionModels,
    };
  }
  return undefined;
}

/** Half of it would let tokens through that are meant for others. */
function readIdentityProvider(settings: z.infer<typeof environmentSchema>): Config['identityProvider'] {
  const { JWT_JWKS_URL: jwksUrl, JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = settings;
  if (jwksUrl !== undefined && issuer !== undefined && audience !== undefined) {
    return { jwksUrl, issuer, audience };
  }
  if (jwksUrl === undefined && issuer === undefined && audience === undefined) return undefined;
  throw new ConfigError(['JWT_JWKS_URL, JWT_ISSUER and JWT_AUDIENCE go together']);
}

function describeProblem(issue: z.core.$ZodIssue): string {
  const name = String(issue.path[0]);
  switch (issue.code) {
    case 'invalid_value':
      return `${name} must be one of: ${issue.values.join(', ')}`;
    case 'too_small':
      return `${name} must be at least ${issue.minimum}${issue.origin === 'string' ? ' character' : ''}`;
    case 'too_big':
      return `${name} must be at most ${issue.maximum}`;
    case 'invalid_format':
      return `${name} must be ${name === 'REDIS_URL' ? 'a redis(s)' : 'an http(s)'} address`;
    case 'custom':
      return `${name} ${issue.message.startsWith('must ') ? issue.message : 'must be a valid value'}`;
    default:
      return `${name} must be a ${issue.code === 'invalid_type' ? issue.expected : 'valid value'}`;
  }
}
