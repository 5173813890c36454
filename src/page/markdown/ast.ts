/**
 * The small part of Markdown that answers and passages use. Every leaf knows where its characters stand in the
 * source, so that citations, verdicts and quotes, which are ranges of the source, find their place on the page.
 */
export interface TextLeaf {
  type: 'text' | 'code';
  /** Exactly `source.slice(start, start + text.length)`. */
  text: string;
  start: number;
}

export interface LineBreak {
  type: 'break';
  /** Asked for by two spaces, a backslash or `<br>`; else the source was only wrapped there. */
  hard: boolean;
}

export interface Styled {
  type: 'strong' | 'emphasis' | 'deleted';
  children: Inline[];
}

export interface Link {
  type: 'link';
  /** Always http, https or mailto. */
  href: string;
  children: Inline[];
}

export type Inline = TextLeaf | LineBreak | Styled | Link;

/** Half-open range of the source a block stands on. */
interface Place {
  start: number;
  end: number;
}

/** Inline content with the end of its source, behind which the next content begins. */
export interface Line {
  inlines: Inline[];
  end: number;
}

export type Alignment = 'left' | 'center' | 'right' | null;

export type Block = Place &
  (
    | { type: 'paragraph'; content: Line }
    | { type: 'heading'; level: number; content: Line }
    | { type: 'code'; lines: TextLeaf[] }
    | { type: 'quote'; blocks: Block[] }
    | { type: 'list'; ordered: boolean; first: number; items: Block[][] }
    | { type: 'table'; alignments: Alignment[]; header: Line[]; rows: Line[][] }
    | { type: 'rule' }
  );
