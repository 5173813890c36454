import type { Language } from '../types.js';

/** A document as a reader hands it over: clean Markdown-ish text with its structure, not yet cut into passages. */
export interface SourceDocument {
  title: string;
  language: Language;
  /** Whether the document itself names its language; else it was detected, and passages may differ. */
  languageIsGiven: boolean;
  /** Absolute http(s) address of the original. */
  url?: string;
  tags: string[];
  /** In reading order. */
  blocks: Block[];
}

export type Block = HeadingBlock | TextBlock | ListBlock | TableBlock | RecordBlock | FaqBlock;

export interface HeadingBlock {
  type: 'heading';
  /** 1 to 6. */
  level: number;
  /** One line without markup. */
  text: string;
}

/** A paragraph, a quotation or a piece of code, as Markdown. */
export interface TextBlock {
  type: 'text';
  text: string;
}

/** Each item is Markdown with its marker; what is nested in it is indented. */
export interface ListBlock {
  type: 'list';
  items: string[];
}

/** Cells are single lines of Markdown; rows may be shorter than the header. */
export interface TableBlock {
  type: 'table';
  header: string[];
  rows: string[][];
}

/** A row of a data table as `name: value` lines: understood by itself, so never joined with its neighbours. */
export interface RecordBlock {
  type: 'record';
  text: string;
}

/** A curated question with its curated answer. */
export interface FaqBlock {
  type: 'faq';
  question: string;
  answer: string;
  url?: string;
  tags: string[];
}

/** What a reader found; what it leaves out is derived from the blocks and the file's name. */
export interface Reading {
  title?: string;
  language?: Language;
  url?: string;
  tags?: string[];
  blocks: Block[];
}

/** A file that cannot be read. `message` is the reason, written for the person who put the file there. */
export class UnreadableError extends Error {
  override readonly name = 'UnreadableError';
}
