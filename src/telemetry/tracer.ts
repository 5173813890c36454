/** Ids, names and counts; never what somebody wrote. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** Headers of W3C Trace Context: `traceparent`, `tracestate`. Others are passed over. */
export type TraceHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** A piece of work with a beginning and an end, in the trace of a request. */
export interface Span {
  set(attributes: SpanAttributes): void;
  /** Runs something as part of it: spans that begin there are its children. */
  run<T>(work: () => T): T;
  /** With `failure` where the work failed: the code of the error is told, nothing else of it. */
  end(failure?: { thrown: unknown }): void;
}

/** Tells a collector how long the parts of a request took. There is none unless an endpoint is set. */
export interface Tracer {
  /** Begins a span, as a child of the one that runs now. */
  start(name: string, attributes?: SpanAttributes): Span;
  /** Runs something as part of a caller's trace, where the headers name one. */
  continueTrace<T>(headers: TraceHeaders, work: () => T): T;
  /** What a request that is sent now carries; empty outside a span. */
  headers(): Readonly<Record<string, string>>;
  /** Sends what is left. Never rejects. */
  close(): Promise<void>;
}

/** Runs something as a span from its start to its end. */
export async function inSpan<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    const result = await span.run(work);
    span.end();
    return result;
  } catch (thrown) {
    span.end({ thrown });
    throw thrown;
  }
}

/** Takes each step of an iteration as part of the span: a generator runs on behalf of whoever asks for its next value. */
export async function* iterateInSpan<T>(span: Span, iterate: () => AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = span.run(() => iterate()[Symbol.asyncIterator]());
  let failure: { thrown: unknown } | undefined;
  try {
    for (;;) {
      const step = await span.run(() => iterator.next());
      if (step.done === true) return;
      yield step.value;
    }
  } catch (thrown) {
    failure = { thrown };
    throw thrown;
  } finally {
    await span.run(() => iterator.return?.());
    span.end(failure);
  }
}
