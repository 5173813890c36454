import type { KnowledgeBaseConfig } from '../ingest/knowledge-base.js';
import type { GroundingFrame, JudgedGrounding } from './grounding.js';
import { withMethods } from './with-methods.js';
import { withholdUnsupported } from './withhold-unsupported.js';

/** What becomes of a sentence that the passages do not support. */
export type GroundingPolicy = KnowledgeBaseConfig['grounding'];

/**
 * `mark`: verdicts go out behind their sentences. `show`: nobody is told; they are only counted. `withhold`: the text
 * waits until its sentence is checked, and an unsupported one never leaves. Only the last holds back text.
 */
export function applyGroundingPolicy(grounding: JudgedGrounding, policy: GroundingPolicy): JudgedGrounding {
  if (policy === 'withhold') return withholdUnsupported(grounding);
  if (policy === 'mark') return grounding;
  const untold = (frames: GroundingFrame[]): GroundingFrame[] =>
    frames.filter(({ type }) => type !== 'grounding-checked');
  return withMethods<JudgedGrounding>(grounding, {
    push: (text) => untold(grounding.push(text)),
    finish: () => untold(grounding.finish()),
    verdicts: async () => untold(await grounding.verdicts()),
  });
}
