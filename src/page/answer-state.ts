import type { AnswerFrame, Citation, Source } from '../client/protocol.js';

type FrameOf<Type extends AnswerFrame['type']> = Extract<AnswerFrame, { type: Type }>;

export type Phase = 'asked' | 'searching' | 'writing' | 'answered' | 'no-answer' | 'stopped' | 'failed';
export type Verdict = Pick<
  FrameOf<'grounding-checked'>,
  'span' | 'verdict' | 'score' | 'reasons' | 'withheld'
>;

/** `code` is one of the server's, or `unreachable`. */
export interface ShownError {
  code: string;
  message: string;
  retryAfterSeconds?: number | undefined;
}

/** What the frames of one message add up to. */
export interface AnswerState {
  phase: Phase;
  /** `seq` of the last frame that was taken; -1 before the first. */
  lastSeq: number;
  question?: FrameOf<'answer-started'>['question'];
  mode?: FrameOf<'answer-started'>['mode'];
  sources: readonly Source[];
  text: string;
  /** In order of the end of their spans. */
  citations: readonly Citation[];
  verdicts: readonly Verdict[];
  handoff: boolean;
  completed?: FrameOf<'answer-completed'>;
  error?: ShownError;
}

export const EMPTY_ANSWER: AnswerState = {
  phase: 'asked',
  lastSeq: -1,
  sources: [],
  text: '',
  citations: [],
  verdicts: [],
  handoff: false,
};

/** Adds a frame; one that was taken before changes nothing. */
export function withFrame(state: AnswerState, frame: AnswerFrame): AnswerState {
  if (frame.seq <= state.lastSeq) return state;
  return { ...state, ...changesOf(state, frame), lastSeq: frame.seq };
}

function changesOf(state: AnswerState, frame: AnswerFrame): Partial<AnswerState> {
  switch (frame.type) {
    case 'answer-started':
      return { phase: 'searching', question: frame.question, mode: frame.mode };
    case 'sources-found':
      return { phase: 'writing', sources: frame.sources };
    case 'text-delta':
      return { phase: 'writing', text: state.text + frame.text };
    case 'citation-added':
      return { citations: inOrder([...state.citations, frame]) };
    case 'grounding-checked':
      // Frames that an earlier version stored have no reasons.
      return { verdicts: [...state.verdicts, { ...frame, reasons: frame.reasons ?? [] }] };
    case 'handoff-requested':
      return { handoff: true };
    case 'answer-completed':
      return {
        phase: frame.status,
        text: frame.text,
        citations: inOrder(frame.citations),
        completed: frame,
      };
    case 'answer-failed':
      return { phase: frame.error.code === 'stopped' ? 'stopped' : 'failed', error: frame.error };
  }
}

function inOrder(citations: readonly Citation[]): Citation[] {
  return [...citations].sort((a, b) => a.span[1] - b.span[1] || a.n - b.n);
}

/** Whether frames are still to come. */
export function isRunning({ phase }: AnswerState): boolean {
  return phase === 'asked' || phase === 'searching' || phase === 'writing';
}

/** The sources that the answer cites, in order of their numbers. */
export function citedSources({ sources, citations }: AnswerState): Source[] {
  return sources.filter(({ n }) => citations.some((citation) => citation.n === n));
}

/** The answer with `[n]` behind what is cited and the list of sources: for pasting elsewhere. */
export function toPlainText(state: AnswerState): string {
  let text = '';
  let from = 0;
  for (const { n, span } of state.citations) {
    text += `${state.text.slice(from, span[1])}[${n}]`;
    from = span[1];
  }
  text += state.text.slice(from);
  const sources = citedSources(state).map(({ n, title, headings, url }) => {
    const place = [title, ...headings].join(' › ');
    return `[${n}] ${place}${url === undefined ? '' : ` ${url}`}`;
  });
  return sources.length === 0 ? text : `${text.trimEnd()}\n\n${sources.join('\n')}`;
}
