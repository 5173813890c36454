import type { Usage } from '../frames.js';
import type { Trace } from '../store/trace-store.js';
import { redactText } from '../telemetry/redact.js';
import type { AnswerEvent } from './answerer.js';

/** Keeps in the trace what an answerer tells besides its text. */
export function noteEvent(
  trace: Trace,
  event: Exclude<AnswerEvent, { type: 'text' }>,
  { costOf }: { costOf: (usage: Usage) => number | undefined },
): void {
  switch (event.type) {
    case 'usage':
      Object.assign(trace, { usage: event.usage, cost: costOf(event.usage) });
      break;
    case 'prompt':
      trace.prompt = event.messages.map(({ role, content }) => ({ role, content: redactText(content) }));
      break;
    case 'cut-off':
      trace.cutOff = true;
      break;
    case 'cached':
      trace.cache = event.hit;
      break;
    case 'links-removed':
      trace.linksRemoved = event.count;
      break;
    case 'doses-withheld':
      trace.withheldDoses = (trace.withheldDoses ?? 0) + event.count;
      break;
  }
}
