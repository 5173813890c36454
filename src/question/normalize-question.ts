import { cleanText } from '../ingest/clean-text.js';

/** What the person wrote, without what nobody sees: NFC, no control or invisible characters, single spaces. */
export function normalizeQuestion(text: string): string {
  return cleanText(text)
    .replaceAll(/[^\S\n]+/g, ' ')
    .replaceAll(/ ?\n ?/g, '\n')
    .trim();
}
