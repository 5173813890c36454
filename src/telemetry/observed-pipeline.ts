import { toAppError } from '../errors.js';
import type { FrameBody } from '../frames.js';
import type { Ask } from '../pipeline.js';
import type { Metrics } from './metrics.js';

type Pipeline = (ask: Ask, options: { signal: AbortSignal }) => AsyncIterable<FrameBody>;

/** The same pipeline, with its answers counted. */
export function observePipeline(pipeline: Pipeline, metrics: Metrics): Pipeline {
  return async function* (ask, options) {
    let ended = false;
    try {
      for await (const body of pipeline(ask, options)) {
        if (body.type === 'answer-completed') {
          ended = true;
          metrics.answerEnded({ status: body.status, reason: body.reason ?? '' });
          for (const stage of body.degraded) metrics.stageDegraded(stage);
          if (body.usage !== undefined) metrics.tokensUsed(body.usage);
        }
        yield body;
      }
    } catch (thrown) {
      if (!ended) metrics.answerEnded({ status: 'failed', reason: toAppError(thrown).code });
      throw thrown;
    }
  };
}
