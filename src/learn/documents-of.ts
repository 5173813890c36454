/** The documents of ranked passages, best first, a document at the place of its best passage. */
export function documentsOf(ranked: readonly { passage: { documentId: string } }[]): string[] {
  return [...new Set(ranked.map(({ passage }) => passage.documentId))];
}
