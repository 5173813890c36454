import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Router } from 'express';
import { AppError, toPublicError } from '../errors.js';
import type { Authenticator } from '../identity/authenticator.js';
import type { ConversationStore } from '../store/conversation-store.js';
import type { TraceStore } from '../store/trace-store.js';
import type { Logger } from '../telemetry/logger.js';
import type { Metrics } from '../telemetry/metrics.js';
import { inRequest } from '../telemetry/request-context.js';
import type { Tracer } from '../telemetry/tracer.js';
import type { Access } from './access.js';
import { createAnswerRoutes } from './answer-routes.js';
import type { AnswerRunner } from './answer-runner.js';
import { createAsyncApiDocument } from './asyncapi-document.js';
import { toOpenAiError } from './chat-completion.js';
import { createChatCompletionRoutes } from './chat-completion-routes.js';
import { createConversationRoutes } from './conversation-routes.js';
import { createCorsHeaders } from './cors-headers.js';
import { createDocumentRoutes } from './document-routes.js';
import type { DocumentService } from './document-service.js';
import type { GiveFeedback } from './feedback.js';
import { createSecurityHeaders } from './helmet-headers.js';
import { identify } from './identify.js';
import { createKnowledgeBaseRoutes, type KnowledgeBaseRoutesOptions } from './knowledge-base-routes.js';
import type { KnowledgeBases } from './knowledge-bases.js';
import { createReadUpload, type UploadLimits } from './multer-upload.js';
import { type CheckReadiness, createOperationRoutes } from './operation-routes.js';
import type { OperatorDesk } from './operator-desk.js';
import { createOperatorRoutes } from './operator-routes.js';
import { methodNotAllowed, toRequestError } from './request-errors.js';
import type { RequestLimiter } from './request-limiter.js';
import { isAllowedOrigin } from './same-origin.js';
import { createSearchRoutes } from './search-routes.js';
import type { Search } from './search-service.js';
import { createOpenApiDocument } from './zod-to-openapi-document.js';

export interface HttpLimits {
  /** Bytes of a JSON body, after decompression. */
  bodyBytes: number;
  upload: UploadLimits;
  /** Time between two comments on a silent event stream. */
  heartbeatMs: number;
  /** How long the reader of an event stream may take to read what it was sent; then it is cut off. */
  stallMs: number;
}

const DEFAULT_LIMITS: HttpLimits = {
  bodyBytes: 17_000_000,
  upload: { files: 20, fileBytes: 20_000_000, totalBytes: 50_000_000 },
  heartbeatMs: 15_000,
  stallMs: 20_000,
};

export interface ExpressAppOptions {
  runner: AnswerRunner;
  access: Access;
  authenticator: Authenticator;
  conversations: ConversationStore;
  traces: Pick<TraceStore, 'readTrace'>;
  giveFeedback: GiveFeedback;
  desk: OperatorDesk;
  knowledgeBases: KnowledgeBases;
  index: KnowledgeBaseRoutesOptions['index'];
  models: KnowledgeBaseRoutesOptions['models'];
  search: Search;
  documents: DocumentService;
  checkReadiness: CheckReadiness;
  metrics: Metrics;
  /** Takes requests into the traces of those who sent them. */
  tracer?: Pick<Tracer, 'continueTrace'>;
  logger: Logger;
  /** Requests per address; the caller is the address. Static files, health, readiness and metrics are not counted. */
  requestLimiter: RequestLimiter;
  version: string;
  /** Folders of static files by the path they are served at: the page at `/`, its client library at `/client`. */
  staticFolders: Readonly<Record<string, string>>;
  /** More routes: they get a parsed JSON body, and what they throw is answered like everything else. */
  routers?: readonly Router[];
  limits?: Partial<HttpLimits>;
  /** Pages of other sites that may change something here: `https://shop.example`. None where absent. */
  allowedOrigins?: readonly string[];
  now?: () => Date;
}

/** Every HTTP route. Errors are `{error: PublicError}` everywhere, with OpenAI's fields on OpenAI's routes. */
export function createExpressApp(options: ExpressAppOptions): Express {
  const { requestLimiter, authenticator, version, allowedOrigins = [], now = () => new Date() } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const { heartbeatMs, stallMs } = limits;
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');

  app.use(nameRequest, measureRequest(options.metrics), createSecurityHeaders());
  if (options.tracer !== undefined) app.use(continueTrace(options.tracer));
  if (allowedOrigins.length > 0) app.use(createCorsHeaders(allowedOrigins));
  app.use(createOperationRoutes({ ...options, identify: identify(authenticator) }));
  // A page is dozens of files: they are not what the limit is for.
  for (const [path, folder] of Object.entries(options.staticFolders)) app.use(path, express.static(folder));
  app.use(limitRequests(requestLimiter), serveProtocol(version));
  app.use(refuseOtherOrigins(allowedOrigins), identify(authenticator));
  app.use(createDocumentRoutes({ ...options, readUpload: createReadUpload(limits.upload) }));
  app.use(requireJson, express.json({ limit: limits.bodyBytes, verify: requireUtf8 }));
  app.use(createAnswerRoutes({ ...options, heartbeatMs, stallMs }));
  app.use(createChatCompletionRoutes({ ...options, heartbeatMs, stallMs, now }));
  app.use(createSearchRoutes(options));
  app.use(createConversationRoutes(options), createOperatorRoutes(options));
  app.use(createKnowledgeBaseRoutes(options));
  if (options.routers !== undefined) app.use(...options.routers);
  app.use(() => {
    throw new AppError('not-found', 'There is nothing at this address.');
  });
  app.use(replyWithError(options.logger));
  return app;
}

/** A request keeps the id that a proxy gave it, if that is a plain word; the reply says which it has. */
const nameRequest: RequestHandler = (request, response, next) => {
  const given = request.get('x-request-id');
  const requestId = given !== undefined && /^[\w.-]{1,128}$/.test(given) ? given : randomUUID();
  response.setHeader('x-request-id', requestId);
  inRequest(requestId, next, { address: request.ip ?? 'unknown' });
};

function measureRequest(metrics: Metrics): RequestHandler {
  return (request, response, next) => {
    const start = performance.now();
    response.once('close', () => {
      const route = (request.route as { path?: string } | undefined)?.path ?? 'other';
      const { method } = request;
      const seconds = (performance.now() - start) / 1000;
      metrics.httpAnswered({ method, route, status: response.statusCode, seconds });
    });
    next();
  };
}

function continueTrace(tracer: Pick<Tracer, 'continueTrace'>): RequestHandler {
  return (request, _response, next) => tracer.continueTrace(request.headers, next);
}

function limitRequests(limiter: RequestLimiter): RequestHandler {
  return async (request, _response, next) => {
    await limiter.take(request.ip ?? 'unknown');
    next();
  };
}

function refuseOtherOrigins(allowedOrigins: readonly string[]): RequestHandler {
  return (request, _response, next) => {
    const reads = request.method === 'GET' || request.method === 'HEAD';
    if (!reads && !isAllowedOrigin(request.headers, allowedOrigins)) {
      throw new AppError('forbidden', 'Pages of other sites may not do that.');
    }
    next();
  };
}

const requireJson: RequestHandler = (request, _response, next) => {
  if (request.get('content-length') !== '0' && request.is('application/json') === false) {
    throw new AppError('unsupported-media-type', 'Send application/json.');
  }
  next();
};

/** The JSON parser would replace broken bytes silently. */
function requireUtf8(_request: unknown, _response: unknown, body: Buffer, encoding: string): void {
  if (encoding !== 'utf-8') throw Object.assign(new Error(encoding), { type: 'charset.unsupported' });
  if (!isUtf8(body)) throw Object.assign(new Error('broken bytes'), { type: 'entity.not.utf8' });
}

function serveProtocol(version: string): Router {
  const router = express.Router();
  const documents = {
    '/openapi.json': createOpenApiDocument(version),
    '/asyncapi.json': createAsyncApiDocument(version),
  };
  for (const [path, document] of Object.entries(documents)) {
    router
      .route(path)
      .get((_request, response) => {
        response.json(document);
      })
      .all(methodNotAllowed('GET'));
  }
  return router;
}

const OPENAI_ROUTES = /^\/v1\/(?:chat\/completions|models|embeddings)(?:\/|$)/;

function replyWithError(logger: Logger): ErrorRequestHandler {
  return (thrown, request, response, _next) => {
    const error = toRequestError(thrown);
    if (error.code === 'internal') logger.error('request failed', { method: request.method, error });
    else logger.debug('request refused', { method: request.method, code: error.code, cause: error.cause });
    if (response.headersSent) {
      response.end();
      return;
    }
    if (error.retryAfterSeconds !== undefined) response.setHeader('Retry-After', error.retryAfterSeconds);
    if (error.code === 'unauthorized') response.setHeader('WWW-Authenticate', 'Bearer');
    const shown = toPublicError(error);
    response
      .status(error.status)
      .json({ error: OPENAI_ROUTES.test(request.path) ? toOpenAiError(shown, error.status) : shown });
  };
}
