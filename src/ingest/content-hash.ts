import { createHash } from 'node:crypto';
import type { KnowledgeBase } from './knowledge-base.js';
import { PASSAGES_VERSION } from './passage-size.js';

/** How a document becomes passages and terms, beside its own content. */
type Making = Pick<KnowledgeBase, 'dictionary' | 'synonyms' | 'quarantine'>;

const MAKING_DIGITS = 16;
const CONTENT_DIGITS = 48;

/**
 * 64 hex digits: the first 16 say how passages and terms were made (cutting, dictionary, synonyms, quarantine), the others what was
 * read. An equal hash means that ingesting again would change nothing.
 */
export function contentHash(content: Uint8Array | string, making: Making): string {
  return makingHash(making) + sha256(content).slice(0, CONTENT_DIGITS);
}

/** Whether passages and terms were made as they would be made now, whatever was read. */
export function isMadeAsNow(hash: string, making: Making): boolean {
  return hash.startsWith(makingHash(making));
}

function makingHash({ dictionary, synonyms, quarantine }: Making): string {
  const making = [PASSAGES_VERSION, dictionary, synonyms, ...(quarantine ? ['quarantine'] : [])];
  return sha256(JSON.stringify(making)).slice(0, MAKING_DIGITS);
}

function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}
