import { v5 as uuidv5 } from 'uuid';

/** Namespace of our passage ids; changing it changes every id. */
const NAMESPACE = '6f0ff0b3-8a3c-5f5e-9a2e-6a1d3a6b0c4d';

interface PassageAddress {
  knowledgeBase: string;
  documentId: string;
}

/**
 * Gives ids for the passages of one document, in order. The same content always gets the same id; content that occurs
 * again in the same document is told apart by how often it occurred before.
 */
export function createPassageIds({ knowledgeBase, documentId }: PassageAddress) {
  const occurrences = new Map<string, number>();
  return (headings: readonly string[], text: string): string => {
    const content = JSON.stringify([knowledgeBase, documentId, headings, text]);
    const occurrence = occurrences.get(content) ?? 0;
    occurrences.set(content, occurrence + 1);
    return uuidv5(occurrence === 0 ? content : `${content}#${occurrence}`, NAMESPACE);
  };
}
