import type { Passage } from './types.js';

/** What the branches and the reranker read: the passage with its title and headings before it. */
export function passageSearchText(passage: Pick<Passage, 'title' | 'headings' | 'text'>): string {
  return `${[passage.title, ...passage.headings].join(' › ')}\n${passage.text}`;
}
