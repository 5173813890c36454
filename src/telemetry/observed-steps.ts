import type { Answerer } from '../answer/answerer.js';
import type { Grounding, GroundingFrame } from '../ground/grounding.js';
import { withMethods } from '../ground/with-methods.js';
import type { Steps } from '../pipeline.js';
import type { Metrics } from './metrics.js';

/** The same steps, measured. */
export function observeSteps(steps: Steps, metrics: Metrics): Steps {
  const observed =
    <Args extends unknown[], Result>(stage: string, run: (...args: Args) => Promise<Result>) =>
    (...args: Args): Promise<Result> =>
      measure(metrics, stage, () => run(...args));
  return {
    ...steps,
    understand: observed('understand', steps.understand),
    findCurated: observed('faq', steps.findCurated),
    retrieve: observed('retrieve', steps.retrieve),
    rerank: observed('rerank', steps.rerank),
    answerer: observeAnswerer(steps.answerer, metrics),
    inspect: (question, sources) => {
      const suspicions = steps.inspect(question, sources);
      for (const { where } of suspicions) metrics.instructionsFound(where);
      return suspicions;
    },
    ground: (sources) => observeGrounding(steps.ground(sources), metrics),
    costOf(usage) {
      const amount = steps.costOf(usage);
      if (amount !== undefined) metrics.costArisen({ model: usage.model, amount });
      return amount;
    },
    writeTrace: observed('write-trace', steps.writeTrace),
  };
}

async function measure<T>(metrics: Metrics, stage: string, run: () => Promise<T>): Promise<T> {
  const end = stopwatch(metrics, stage);
  try {
    const result = await run();
    end('ok');
    return result;
  } catch (thrown) {
    end('failed');
    throw thrown;
  }
}

function stopwatch(metrics: Metrics, stage: string): (outcome: 'ok' | 'failed') => void {
  const start = performance.now();
  return (outcome) => metrics.stageEnded(stage, { outcome, seconds: (performance.now() - start) / 1000 });
}

function observeAnswerer(answerer: Answerer, metrics: Metrics): Answerer {
  return {
    get mode() {
      return answerer.mode;
    },
    get seesImages() {
      return answerer.seesImages;
    },
    async *answer(request, options) {
      const endFirstToken = stopwatch(metrics, 'first-token');
      const endAnswer = stopwatch(metrics, 'answer');
      let begun = false;
      let outcome: 'ok' | 'failed' = 'failed';
      try {
        for await (const event of answerer.answer(request, options)) {
          if (!begun && event.type === 'text') {
            begun = true;
            endFirstToken('ok');
          }
          if (event.type === 'links-removed') metrics.linksRemoved(event.count);
          yield event;
        }
        outcome = 'ok';
      } finally {
        if (!begun) endFirstToken('failed');
        endAnswer(outcome);
      }
    },
  };
}

function observeGrounding(grounding: Grounding, metrics: Metrics): Grounding {
  const counted = (frames: GroundingFrame[]): GroundingFrame[] => {
    for (const frame of frames) {
      if (frame.type === 'grounding-checked') metrics.sentenceChecked(frame.verdict);
    }
    return frames;
  };
  return withMethods<Grounding>(grounding, {
    push: (text) => counted(grounding.push(text)),
    finish() {
      const frames = counted(grounding.finish());
      metrics.citationsInvented(grounding.inventedCitations);
      return frames;
    },
  });
}
