import type { Citation } from '../frames.js';
import type { GroundingFrame, JudgedGrounding } from './grounding.js';

type Span = [number, number];
type FrameOf<Type extends GroundingFrame['type']> = Extract<GroundingFrame, { type: Type }>;

/**
 * The same answer without its unsupported sentences. Text goes out when the next verdict, or the last of them, has cleared it;
 * of a withheld sentence only an empty span and the kind of its reasons are told, never its words. Spans are those of
 * the text that went out.
 */
export function withholdUnsupported(grounding: JudgedGrounding): JudgedGrounding {
  const citations: Citation[] = [];
  let text = '';
  /** What the check has said so far, and how much of that is decided: gone out or withheld. */
  let said = '';
  let decided = 0;
  let waiting: FrameOf<'citation-added'>[] = [];
  let frames: GroundingFrame[] = [];
  let hasGap = false;
  let withheld = 0;

  const here = (position: number): number => position - decided + text.length;

  const release = (end: number): void => {
    let part = said.slice(decided, end);
    // The line of a withheld sentence goes with it, or its space: an empty line would end a table.
    if (hasGap && /^[ \n]/.test(part) && (text === '' || text.endsWith(part.charAt(0)))) {
      part = part.slice(1);
      decided += 1;
    }
    if (part !== '') hasGap = false;
    const spans = waiting.filter(({ span }) => span[1] <= end);
    waiting = waiting.filter(({ span }) => span[1] > end);
    const cited = spans.map(({ type: _type, ...citation }): Citation => {
      const span: Span = [Math.max(0, here(citation.span[0])), Math.max(0, here(citation.span[1]))];
      return { ...citation, span };
    });
    text += part;
    decided = end;
    if (part !== '') frames.push({ type: 'text-delta', text: part });
    for (const citation of cited) {
      citations.push(citation);
      frames.push({ type: 'citation-added', ...citation });
    }
  };

  const withhold = (end: number): void => {
    waiting = waiting.filter(({ span }) => span[1] > end);
    decided = end;
    hasGap = true;
    withheld += 1;
  };

  const onCheck = (check: FrameOf<'grounding-checked'>): void => {
    const [start, end] = check.span;
    release(start);
    const at = text.length;
    if (check.verdict !== 'unsupported') {
      release(end);
      frames.push({ ...check, span: [at, text.length] });
      return;
    }
    withhold(end);
    const reasons = check.reasons.map(({ reason }) => ({ reason }));
    frames.push({ ...check, span: [at, at], reasons, withheld: true });
  };

  const take = (incoming: readonly GroundingFrame[]): void => {
    for (const frame of incoming) {
      if (frame.type === 'text-delta') said += frame.text;
      else if (frame.type === 'citation-added') waiting.push(frame);
      else onCheck(frame);
    }
  };
  const given = (): GroundingFrame[] => {
    const taken = frames;
    frames = [];
    return taken;
  };

  return {
    push(piece) {
      take(grounding.push(piece));
      return given();
    },
    finish() {
      take(grounding.finish());
      return given();
    },
    async verdicts() {
      take(await grounding.verdicts());
      release(said.length);
      return given();
    },
    get text() {
      return text;
    },
    get citations() {
      return citations;
    },
    get inventedCitations() {
      return grounding.inventedCitations;
    },
    get withheld() {
      return withheld;
    },
  };
}
