import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Context,
  defaultTextMapGetter,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { ExportResultCode, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { toAppError } from '../errors.js';
import type { Logger } from './logger.js';
import type { Tracer } from './tracer.js';

export interface OpenTelemetryOptions {
  /** Of the collector, without `/v1/traces`: `http://localhost:4318`. */
  endpoint: string;
  /** Sent with each export, for collectors that ask who comes. */
  headers: Readonly<Record<string, string>>;
  serviceName: string;
  version: string;
  logger: Logger;
}

/** The collector may hang; nobody waits for it at the end. */
const EXPORT_TIMEOUT_MS = 5_000;

/**
 * Spans to a collector that takes OTLP over HTTP. They are sent in batches from a bounded queue: while the collector is
 * away, spans are lost and nothing else is. Nothing of the package's process-wide state is used.
 */
export function createOpenTelemetryTracer(options: OpenTelemetryOptions): Tracer {
  const exporter = new OTLPTraceExporter({
    url: `${options.endpoint.replace(/\/$/, '')}/v1/traces`,
    headers: { ...options.headers },
    timeoutMillis: EXPORT_TIMEOUT_MS,
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': options.serviceName,
      'service.version': options.version,
    }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: logFailures(exporter, options.logger),
        exportTimeoutMillis: EXPORT_TIMEOUT_MS,
      }),
    ],
  });
  const tracer = provider.getTracer('askbase', options.version);
  const propagator = new W3CTraceContextPropagator();
  const contexts = new AsyncLocalStorage<Context>();
  const current = (): Context => contexts.getStore() ?? ROOT_CONTEXT;

  return {
    start(name, attributes = {}) {
      const span = tracer.startSpan(name, { attributes }, current());
      const context = trace.setSpan(current(), span);
      return {
        set: (more) => void span.setAttributes(more),
        run: (work) => contexts.run(context, work),
        end(failure) {
          if (failure !== undefined) {
            const { code } = toAppError(failure.thrown);
            span.setStatus({ code: SpanStatusCode.ERROR, message: code });
          }
          span.end();
        },
      };
    },
    continueTrace(headers, work) {
      const context = propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter);
      return contexts.run(context, work);
    },
    headers() {
      const headers: Record<string, string> = {};
      propagator.inject(current(), headers, defaultTextMapSetter);
      return headers;
    },
    close: () => provider.shutdown().catch(() => undefined),
  };
}

/** Says once that the collector does not take spans, and once that it does again. */
function logFailures(exporter: SpanExporter, logger: Logger): SpanExporter {
  let failing = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const failed = result.code === ExportResultCode.FAILED;
        if (failed && !failing) logger.warn('Traces cannot be sent.', { error: result.error });
        if (!failed && failing) logger.info('Traces can be sent again.');
        failing = failed;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}
