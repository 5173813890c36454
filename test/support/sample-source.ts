import type { Source } from '../../src/frames.js';

/** A source for tests; what is given replaces the rest. */
export function sampleSource(n: number, text: string, rest: Partial<Source> = {}): Source {
  return {
    n,
    passageId: `passage-${n}`,
    documentId: `en/document-${n}.md`,
    title: 'Document',
    headings: [],
    text,
    scores: { fused: { score: 1 / n, rank: n } },
    ...rest,
  };
}
