import type { Grounding, GroundingFrame } from '../ground/grounding.js';
import { withMethods } from '../ground/with-methods.js';
import type { Steps } from '../pipeline.js';
import { inSpan, type Span, type Tracer } from './tracer.js';

/** The same steps, each a span. */
export function traceSteps(steps: Steps, tracer: Tracer): Steps {
  return {
    ...steps,
    understand: (...args) => inSpan(tracer.start('understand'), () => steps.understand(...args)),
    findCurated: (...args) => inSpan(tracer.start('faq'), () => steps.findCurated(...args)),
    retrieve: (...args) => inSpan(tracer.start('retrieve'), () => steps.retrieve(...args)),
    rerank(question, candidates, options) {
      const span = tracer.start('rerank', { 'askbase.candidates': candidates.length });
      return inSpan(span, async () => {
        const reranking = await steps.rerank(question, candidates, options);
        const kept = reranking.candidates.filter(({ decision }) => decision === 'kept');
        span.set({ 'askbase.candidates.kept': kept.length });
        return reranking;
      });
    },
    ground: (sources) => traceGrounding(steps.ground(sources), tracer),
    writeTrace: (trace) => inSpan(tracer.start('write-trace'), () => steps.writeTrace(trace)),
  };
}

/** From the first text to the end of the answer; of one that broke off there is no span. */
function traceGrounding(grounding: Grounding, tracer: Tracer): Grounding {
  const verdicts = { supported: 0, weak: 0, unsupported: 0 };
  let span: Span | undefined;
  let milliseconds = 0;
  const measured = (ground: () => GroundingFrame[]): GroundingFrame[] => {
    span ??= tracer.start('ground');
    const start = performance.now();
    const frames = ground();
    milliseconds += performance.now() - start;
    for (const frame of frames) if (frame.type === 'grounding-checked') verdicts[frame.verdict] += 1;
    return frames;
  };
  return withMethods<Grounding>(grounding, {
    push: (text) => measured(() => grounding.push(text)),
    finish() {
      const frames = measured(() => grounding.finish());
      span?.set({
        'askbase.ground.milliseconds': milliseconds,
        'askbase.sentences.supported': verdicts.supported,
        'askbase.sentences.weak': verdicts.weak,
        'askbase.sentences.unsupported': verdicts.unsupported,
      });
      span?.end();
      return frames;
    },
  });
}
