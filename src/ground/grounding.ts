import type { Citation, FrameBody } from '../frames.js';

export type GroundingFrame = Extract<
  FrameBody,
  { type: 'text-delta' | 'citation-added' | 'grounding-checked' }
>;

/** Follows one answer while it is written: markers become citations, sentences are checked. Never throws. */
export interface Grounding {
  /** Takes text as it came from the answerer (markers may be split) and gives the frames that are certain now. */
  push(text: string): GroundingFrame[];
  /** The answer is over: gives what was held back. */
  finish(): GroundingFrame[];
  /** The answer so far, without markers: what the text-delta frames add up to. */
  readonly text: string;
  readonly citations: readonly Citation[];
  /** Markers that named no source: removed from the text, and counted here. */
  readonly inventedCitations: number;
  /** Sentences that were kept back because the passages do not support them. */
  readonly withheld: number;
}

/** One whose verdicts may come later than their sentences. */
export interface JudgedGrounding extends Grounding {
  /** After `finish`: what was waiting for a verdict. Takes some seconds at most. */
  verdicts(): Promise<GroundingFrame[]>;
}
